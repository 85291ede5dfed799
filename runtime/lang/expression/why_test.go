package expression

import (
	"strings"
	"testing"
)

func TestWhy(t *testing.T) {
	alert := `{"rule":{"level":3,"groups":["a","b"]},"agent":{"id":"007","name":null},"data":{"srcip":"10.0.0.1"}}`
	for _, test := range []struct{ src, want string }{
		{`rule.level >= 10`, "`rule.level >= 10` is false: rule.level = 3"},
		{`agent.id == '007' and rule.level >= 10`, "`rule.level >= 10` is false: rule.level = 3"},
		{`agent.id == '008' and rule.level >= 10`, "`agent.id == '008'` is false: agent.id = \"007\""},
		{"agent.id == '008'\n  or  rule.level >= 10", "`agent.id == '008'` is false: agent.id = \"007\"; `rule.level >= 10` is false: rule.level = 3"},
		{`not (rule.level < 10 and agent.id == '007')`, "`rule.level < 10` is true: rule.level = 3; `agent.id == '007'` is true: agent.id = \"007\""},
		{`not (rule.level > 10 or agent.id == '007') or false`, "`agent.id == '007'` is true: agent.id = \"007\"; `false` is false"},
		{`(rule.level) == 10 and true`, "`(rule.level) == 10` is false: rule.level = 3"},
		{`(rule.level == 3 or agent.id == '1') and (data.dstip != nil)`, "`data.dstip != nil` is false: data.dstip is not there"},
		{`'x' in rule.groups and agent.name == 'y'`, "`'x' in rule.groups` is false: rule.groups = [\"a\",\"b\"]"},
		{`agent.name == 'y'`, "`agent.name == 'y'` is false: agent.name = null"},
		{`any(rule.groups, # == origin.data.user)`, "`any(rule.groups, # == origin.data.user)` is false: rule.groups = [\"a\",\"b\"], origin.data.user is not there"},
		{`let n = rule.level + 1; n == 4 and n > rule.level + 5`, "`n > rule.level + 5` is false: rule.level = 3"},
		{`let a = agent; a.id == '1' and a.name`, "`a.id == '1'` is false: agent.id = \"007\""},
		{`rule.level > 5 ? true : agent.id == '8'`, "`rule.level > 5 ? true : agent.id == '8'` is false: rule.level = 3, agent.id = \"007\""},
		{`data.srcip in local.list`, "`data.srcip in local.list` is false: data.srcip = \"10.0.0.1\""},
		{`agent.name`, "`agent.name` is false: agent.name = null"},
		{`data.srcip matches '^192' and 1 < rule.level < 3`, "`data.srcip matches '^192'` is false: data.srcip = \"10.0.0.1\""},
		{`1 < rule.level < 3`, "`rule.level < 3` is false: rule.level = 3"},
		{`rule.level == 3`, ""},
	} {
		p, problems := Condition(test.src, testEnv(t))
		if p == nil {
			t.Errorf("%s: %+v", test.src, problems)
			continue
		}
		e := eventOf(alert)
		if got := strings.Join(p.Why(e), "; "); got != test.want {
			t.Errorf("%s\n got %s\nwant %s", test.src, got, test.want)
		}
		if again, err := p.True(e); err != nil || again != (test.want == "") {
			t.Errorf("%s: true is %v, %v", test.src, again, err)
		}
	}
	if why := compile(t, `rule.level > 'x' and rule`).Why(eventOf(`{"rule":{"level":`)); why != nil {
		t.Errorf("of what is no JSON: %q", why)
	}
}
