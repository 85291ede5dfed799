package self

import "testing"

func TestCommand(t *testing.T) {
	const module, cached = "example.com/m", "e70425f96682e82708f3fd0005b61816e5cfea523684573fd51a35fd5d619b4c-d"
	for name, c := range map[string]struct{ executable, main, module, want string }{
		"installed":           {"/usr/local/bin/etl", module + "/cmd/etl", module, "etl"},
		"first go run":        {"/tmp/go-build3879482372/b001/exe/etl", module + "/cmd/etl", module, "go run ./cmd/etl"},
		"later go run":        {"/root/.cache/go-build/e7/" + cached + "/etl", module + "/cmd/etl", module, "go run ./cmd/etl"},
		"a cache elsewhere":   {"/var/cache/e7/" + cached + "/etl", module + "/cmd/etl", module, "go run ./cmd/etl"},
		"main is the module":  {"/tmp/go-build1/b001/exe/m", module, module, "go run ."},
		"go run of a file":    {"/tmp/go-build1/b001/exe/main", "command-line-arguments", "", "etl"},
		"a folder of a build": {"/home/me/go-builder/etl", module + "/cmd/etl", module, "etl"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := command(c.executable, c.main, c.module); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
