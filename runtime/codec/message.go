package codec

const hexDigits = "0123456789abcdef"

// appendMessage appends {"message": text}. Bytes that are not UTF-8 stay as
// they are: a document repairs them where it is read or written, and counts.
func appendMessage(dst, text []byte) []byte {
	dst = append(dst, `{"message":"`...)
	from := 0
	for i, c := range text {
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, text[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\t':
			dst = append(dst, '\\', 't')
		case '\r':
			dst = append(dst, '\\', 'r')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	dst = append(dst, text[from:]...)
	return append(dst, `"}`...)
}
