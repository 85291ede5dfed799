package lang

func looksLikePath(s string) bool { return false }
