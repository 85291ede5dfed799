package expression

import (
	"testing"

	"github.com/wazuh-etl/etl/runtime/document"
)

func TestIsPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"1.1.1.77": true, "8.8.8.8": true, "9.255.255.255": true, "11.0.0.0": true, "172.15.0.1": true, "172.32.0.1": true, "100.63.255.255": true, "100.128.0.0": true,
		"192.0.0.9": true, "192.0.0.10": true, "192.31.196.1": true, "192.52.193.1": true, "192.175.48.1": true, "223.255.255.255": true,
		"0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false, "100.64.0.1": false, "127.0.0.1": false, "169.254.1.1": false, "172.16.0.1": false, "172.31.255.255": false,
		"192.0.0.1": false, "192.0.0.8": false, "192.0.0.170": false, "192.0.2.1": false, "192.168.1.1": false, "198.18.0.1": false, "198.19.255.255": false,
		"198.51.100.7": false, "203.0.113.7": false, "224.0.0.1": false, "239.1.2.3": false, "240.0.0.1": false, "255.255.255.255": false,
		"2606:4700:4700::1111": true, "2001:4860:4860::8888": true, "2a00::1": true, "2001:1::1": true, "2001:1::2": true, "2001:1::3": true, "2001:3::1": true,
		"2001:4:112::1": true, "2001:20::1": true, "2001:30::1": true, "2620:4f:8000::1": true, "2001:200::1": true,
		"::": false, "::1": false, "100::1": false, "100:0:0:1::1": false, "2001::1": false, "2001:2::1": false, "2001:10::1": false, "2001:1::4": false, "2001:db8::1": false,
		"2002:0101:0101::1": false, "3fff::1": false, "3fff:fff::1": false, "5f00::1": false, "64:ff9b:1::1": false, "fc00::1": false, "fd12::1": false, "fe80::1": false,
		"fe80::1%eth0": false, "fec0::1": false, "ff02::1": false, "ff0e::1": false,
		"::ffff:1.1.1.1": true, "::ffff:10.0.0.1": false, "64:ff9b::1.1.1.1": true, "64:ff9b::10.0.0.1": false, "64:ff9b::224.0.0.1": false,
	} {
		for name, want := range map[string]bool{"is_public": want, "is_private": !want} {
			v, err := evaluate(t, name+"(a)", document.NewText(address))
			if err != nil || v.IsTrue() != want {
				t.Errorf("%s(%s) = %s %v", name, address, shown(v, err), err)
			}
		}
	}
	for _, none := range []string{"", "x", "1.1.1", "1.1.1.1:80", " 1.1.1.1", "01.1.1.1", "1.1.1.1/32"} {
		for _, name := range []string{"is_public", "is_private"} {
			if v, err := evaluate(t, name+"(a)", document.NewText(none)); err != nil || v.IsTrue() {
				t.Errorf("%s(%q) = %s %v", name, none, shown(v, err), err)
			}
		}
	}
}

func TestInCIDR(t *testing.T) {
	for _, test := range []struct {
		address, networks string
		want              bool
	}{
		{"9.9.9.9", `'9.9.9.0/24'`, true},
		{"9.9.10.9", `'9.9.9.0/24'`, false},
		{"9.9.9.9", `['10.0.0.0/8', '9.9.9.9']`, true},
		{"9.9.9.8", `['10.0.0.0/8', '9.9.9.9']`, false},
		{"9.9.9.9", `[]`, false},
		{"9.9.9.9", `nil`, false},
		{"9.9.9.9", `'0.0.0.0/0'`, true},
		{"2001:db8::1", `'0.0.0.0/0'`, false},
		{"9.9.9.9", `'::/0'`, false},
		{"::ffff:9.9.9.9", `'9.9.9.0/24'`, true},
		{"9.9.9.9", `'::ffff:9.9.9.0/120'`, true},
		{"9.9.9.9", `'::ffff:9.9.9.9'`, true},
		{"64:ff9b::9.9.9.9", `'9.9.9.0/24'`, true},
		{"64:ff9b::9.9.9.9", `'64:ff9b::/96'`, true},
		{"2001:db8:1::5", `['2001:db8::/48', '2001:db8:1::/48']`, true},
		{"9.9.9.9", `'9.9.9.200/24'`, true},
		{"fe80::1%eth0", `'fe80::/10'`, true},
		{"no address", `'0.0.0.0/0'`, false},
	} {
		for _, src := range []string{`in_cidr(a, ` + test.networks + `)`, `in_cidr(a, b ?? ` + test.networks + `)`} {
			v, err := evaluate(t, src, document.NewText(test.address))
			if err != nil || v.IsTrue() != test.want {
				t.Errorf("%s of %s = %s %v", src, test.address, shown(v, err), err)
			}
		}
	}
}
