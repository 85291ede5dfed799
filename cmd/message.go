package cmd

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/wazuh-etl/etl/builtin/seal"
)

// messages are what `verify` and `decrypt` go through: JSON values from
// files or standard input.
type messages struct {
	keyFiles []string
	keys     []*seal.Key
}

const aboutMessages = `Messages are JSON objects, a line each or written at length, in FILEs or on standard input. The good
ones are written to standard output, a line each; what is wrong with the others is said, and the exit code is 1 if
there is one, or if there is no message at all.`

func (m *messages) add(cmd *cobra.Command, usage string) {
	cmd.Flags().StringArrayVar(&m.keyFiles, "key", nil, usage+"; may repeat")
	if err := cmd.MarkFlagRequired("key"); err != nil {
		panic(err)
	}
}

// readKeys reads the key files; suits says what is wrong with a key, and may be nil.
func (m *messages) readKeys(suits func(*seal.Key) error) error {
	for _, name := range m.keyFiles {
		content, err := os.ReadFile(name)
		if err != nil {
			return refused(fmt.Errorf("reading a key: %w", err))
		}
		key, err := seal.ParseKey(content, "")
		if err == nil && suits != nil {
			err = suits(key)
		}
		if err != nil {
			return refused(fmt.Errorf("the key in %s can't be used: %w", name, err))
		}
		m.keys = append(m.keys, key)
	}
	return nil
}

// each writes what open makes of each message.
func (m *messages) each(cmd *cobra.Command, files []string, open func(message []byte) ([]byte, error)) error {
	if len(files) == 0 {
		files = []string{"-"}
	}
	good, bad := 0, 0
	for _, name := range files {
		in := cmd.InOrStdin()
		if name == "-" {
			name = "standard input"
		} else {
			f, err := os.Open(name)
			if err != nil {
				return refused(fmt.Errorf("reading messages: %w", err))
			}
			defer f.Close()
			in = f
		}
		// What is read in more than one way is refused by open, message by message.
		values := jsontext.NewDecoder(in, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
		for n := 1; ; n++ {
			message, err := values.ReadValue()
			if err == io.EOF {
				break
			}
			broken := err != nil
			var result []byte
			if !broken {
				result, err = open(message)
			}
			if err != nil {
				bad++
				fmt.Fprintf(cmd.ErrOrStderr(), "%s: message %d: %v\n", name, n, err)
				if broken { // nobody knows where the next one begins
					break
				}
				continue
			}
			good++
			if _, err := cmd.OutOrStdout().Write(append(result, '\n')); err != nil {
				return failed(fmt.Errorf("writing a message: %w", err))
			}
		}
	}
	switch {
	case bad > 0:
		return failed(fmt.Errorf("%d of %d messages are not good", bad, good+bad))
	case good == 0:
		return failed(errors.New("there is no message"))
	}
	return nil
}
