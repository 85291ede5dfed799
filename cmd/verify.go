package cmd

import (
	"bytes"

	"github.com/spf13/cobra"

	"github.com/wazuh-etl/etl/builtin/seal"
)

func newVerify() *cobra.Command {
	var m messages
	members := seal.Members{}
	cmd := &cobra.Command{
		Use:   "verify --key FILE… [FILE…]",
		Short: "Check the signatures of messages",
		Long: `Check the signatures of messages that transform "sign" has made, with one of the keys given.

` + aboutMessages,
		Example: `  nats sub --raw 'wazuh.>' | etl verify --key signing.pub
  nats sub --raw 'wazuh.>' > messages.jsonl # ends with Ctrl-C
  etl verify --key old.key --key new.key messages.jsonl | etl decrypt --key encryption.key`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := m.readKeys(nil); err != nil {
				return err
			}
			return m.each(cmd, args, func(message []byte) ([]byte, error) {
				return onOneLine(message), seal.Verify(message, m.keys, members)
			})
		},
	}
	m.add(cmd, "`FILE` with the secret key, or the Ed25519 key, public or private")
	cmd.Flags().StringVar(&members.Signature, "signature-member", seal.DefaultSignature, "`NAME` of the member with the signature")
	cmd.Flags().StringVar(&members.KeyID, "key-id-member", seal.DefaultKeyID, "`NAME` of the member with the key's name")
	return cmd
}

// onOneLine is a message as it came, but for line breaks, which in JSON stand
// between tokens only.
func onOneLine(message []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if r == '\n' || r == '\r' {
			return ' '
		}
		return r
	}, message)
}
