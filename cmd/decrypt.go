package cmd

import (
	"github.com/spf13/cobra"

	"github.com/wazuh-etl/etl/builtin/seal"
)

func newDecrypt() *cobra.Command {
	var m messages
	var member string
	cmd := &cobra.Command{
		Use:   "decrypt --key FILE… [FILE…]",
		Short: "Decrypt messages",
		Long: `Decrypt messages that transform "encrypt" has made, with one of the keys given: what comes out is the
event as it was before. A signature that was added behind the encryption is for etl verify, before this.

` + aboutMessages,
		Example: `  nats sub --raw 'wazuh.>' | etl decrypt --key encryption.key
  nats sub --raw 'wazuh.>' > messages.jsonl # ends with Ctrl-C
  etl decrypt --key old.key --key new.key messages.jsonl`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := m.readKeys((*seal.Key).Encrypts); err != nil {
				return err
			}
			return m.each(cmd, args, func(message []byte) ([]byte, error) {
				event, err := seal.Decrypt(message, m.keys, member)
				return onOneLine(event), err
			})
		},
	}
	m.add(cmd, "`FILE` with the secret key")
	cmd.Flags().StringVar(&member, "member", seal.DefaultEnvelope, "`NAME` of the member with the envelope")
	return cmd
}
