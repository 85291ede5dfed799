package lang

import (
	"sort"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/wazuh-etl/etl/runtime/diag"
)

// shortestSecret is what can be hidden without making messages unreadable.
const shortestSecret = 3

// noteSecrets remembers the texts in a sensitive value.
func (l *loader) noteSecrets(v cty.Value) {
	if _, is := marked(v, sensitive); !is {
		return
	}
	v, _ = v.UnmarkDeep()
	_ = cty.Walk(v, func(_ cty.Path, x cty.Value) (bool, error) {
		if x.IsKnown() && !x.IsNull() && x.Type() == cty.String && len(x.AsString()) >= shortestSecret {
			l.secrets[x.AsString()] = true
		}
		return true, nil
	})
}

// secretTexts are the texts to hide, longest first: one may be part of another.
func (l *loader) secretTexts() []string {
	secrets := sortedKeys(l.secrets)
	sort.SliceStable(secrets, func(i, j int) bool { return len(secrets[i]) > len(secrets[j]) })
	return secrets
}

// hideSecrets takes them out of what is told, whoever tells it.
func (l *loader) hideSecrets(list diag.List) diag.List {
	secrets := l.secretTexts()
	for i := range list {
		for _, s := range secrets {
			list[i].Message = strings.ReplaceAll(list[i].Message, s, "(secret)")
			list[i].Suggestion = strings.ReplaceAll(list[i].Suggestion, s, "(secret)")
		}
	}
	return list
}
