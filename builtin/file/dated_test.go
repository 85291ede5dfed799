package file

import (
	"slices"
	"strings"
	"testing"
)

func TestDatedNamesInOrder(t *testing.T) {
	c := calendarOf("wazuh4", "/logs/alerts/alerts.json")
	names := []string{
		"2024/Dec/ossec-alerts-31.json", "2024/Dec/ossec-alerts-31-001.json", "2025/Jan/ossec-alerts-01.json", "2025/Jan/ossec-alerts-02.json",
		"2025/Jan/ossec-alerts-02-001.json", "2025/Jan/ossec-alerts-02-002.json", "2025/Jan/ossec-alerts-02-010.json",
		"2025/Jan/ossec-alerts-02-999.json", "2025/Jan/ossec-alerts-02-1000.json", "2025/Feb/ossec-alerts-01.json", "2025/Apr/ossec-alerts-01.json", "2025/Aug/ossec-alerts-01.json",
	}
	var orders []string
	for _, name := range names {
		order, ok := c.order(name)
		if !ok {
			t.Errorf("%s is no dated name", name)
		}
		orders = append(orders, order)
	}
	if !slices.IsSorted(orders) {
		t.Errorf("not in order: %q", orders)
	}
	for _, name := range []string{
		"", "2025", "2025/Jan", "2025/Jan/ossec-alerts-32.json", "2025/Jan/ossec-alerts-00.json", "2025/Jan/ossec-alerts-1.json", "2025/jan/ossec-alerts-01.json",
		"25/Jan/ossec-alerts-01.json", "2025/Jan/ossec-alerts-01.json.gz", "2025/Jan/ossec-alerts-01.json.sum", "2025/Jan/ossec-archive-01.json", "2025/Jan/ossec-alerts-01-.json",
		"2025/Jan/ossec-alerts-01-+1.json", "2025/Jan/ossec-alerts-01-0000000001.json", "/2025/Jan/ossec-alerts-01.json", "2025/Jan/ossec-alerts-01.log",
	} {
		if order, ok := c.order(name); ok {
			t.Errorf("%s has the order %s", name, order)
		}
	}
	if _, ok := calendarOf("wazuh5", "/var/wazuh-manager/logs/findings.json").order("2026/Aug/findings-01-002.json"); !ok {
		t.Error("no name of Wazuh 5")
	}
	if calendarOf("", "/a/alerts.json") != nil {
		t.Error("a calendar without profile")
	}
}

// Whatever a directory is full of: what is taken for a dated name says its date in its order.
func FuzzDatedName(f *testing.F) {
	f.Add("2025/Jan/ossec-alerts-02-001.json")
	f.Add("2025/Jan/ossec-alerts-02.json")
	f.Add("2025/Jan/ossec-alerts-02-.json")
	f.Add("٢٠٢٥/Jan/ossec-alerts-02.json")
	c := calendarOf("wazuh4", "/logs/alerts.json")
	f.Fuzz(func(t *testing.T, name string) {
		order, ok := c.order(name)
		if !ok {
			return
		}
		if len(order) != 17 || order[:4] != name[:4] || strings.Trim(order, "0123456789") != "" {
			t.Fatalf("%q has the order %q", name, order)
		}
		if order[6:8] != name[len("2025/Jan/ossec-alerts-"):][:2] {
			t.Fatalf("%q has the order %q", name, order)
		}
		if again := c.orderIn(name + ":0123456789abcdef~2"); again != order {
			t.Fatalf("%q in a generation has the order %q, else %q", name, again, order)
		}
	})
}
