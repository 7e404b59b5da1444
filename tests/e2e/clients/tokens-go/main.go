// Makes and verifies tokens as docs/reference/tokens.md says, with nothing but Go's library.
//
// Its only argument is a JSON object, and it prints one: see task and report.
package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
)

const (
	create = "tusd_py/v1/create"
	upload = "tusd_py/v1/upload"
)

var (
	bits  = map[string]byte{"HEAD": 1, "PATCH": 2, "GET": 4, "DELETE-UNFINISHED": 8, "DELETE": 16}
	token = regexp.MustCompile(`^([\w-]{1,128})\.([\w-]{1,32})\.([\w-]+)\.([\w-]{43})$`)
)

// claims has its fields in the order in which they are written.
type claims struct {
	ID        string            `json:"jti"`
	Subject   string            `json:"sub"`
	NotBefore int64             `json:"nbf"`
	Expires   int64             `json:"exp"`
	Length    *int64            `json:"len,omitempty"`
	MaxLength *int64            `json:"max,omitempty"`
	Uploads   int               `json:"uploads,omitempty"`
	Parts     int               `json:"parts,omitempty"`
	Can       []string          `json:"can,omitempty"`
	Metadata  map[string]string `json:"meta,omitempty"`
	Allowed   *[]string         `json:"allow,omitempty"`
	Path      string            `json:"path,omitempty"`
}

type grant struct {
	Key    string `json:"key"`
	Claims claims `json:"claims"`
}

type capability struct {
	Key     string   `json:"key"`
	Upload  string   `json:"upload"`
	Rights  []string `json:"rights"`
	Expires uint64   `json:"expires"`
	Subject string   `json:"subject"`
}

// task holds secrets in base64url by the id of their key, what to make, and tokens to verify.
type task struct {
	Secrets      map[string]string `json:"secrets"`
	Grants       []grant           `json:"grants"`
	Capabilities []capability      `json:"capabilities"`
	Verify       []string          `json:"verify"`
}

// report holds derived keys in hexadecimal by key and purpose, and for each token of the task
// whether its form and its signature are good.
type report struct {
	Derived      map[string]map[string]string `json:"derived"`
	Grants       []string                     `json:"grants"`
	Capabilities []string                     `json:"capabilities"`
	Good         []bool                       `json:"good"`
}

func main() {
	var t task
	exitOn(json.Unmarshal([]byte(os.Args[1]), &t))
	done := report{Derived: map[string]map[string]string{}}
	for id := range t.Secrets {
		done.Derived[id] = map[string]string{
			create: hex.EncodeToString(t.derive(id, create)),
			upload: hex.EncodeToString(t.derive(id, upload)),
		}
	}
	for _, g := range t.Grants {
		done.Grants = append(done.Grants, t.signGrant(g))
	}
	for _, c := range t.Capabilities {
		done.Capabilities = append(done.Capabilities, t.signCapability(c))
	}
	for _, text := range t.Verify {
		done.Good = append(done.Good, t.isGood(text))
	}
	exitOn(json.NewEncoder(os.Stdout).Encode(done))
}

func (t task) derive(keyID, purpose string) []byte {
	secret, err := base64.RawURLEncoding.Strict().DecodeString(t.Secrets[keyID])
	exitOn(err)
	return mac(secret, purpose+"\x01")
}

func (t task) sign(keyID, purpose, text string) string {
	return base64.RawURLEncoding.EncodeToString(mac(t.derive(keyID, purpose), text))
}

func (t task) signGrant(g grant) string {
	var written bytes.Buffer
	encoder := json.NewEncoder(&written)
	encoder.SetEscapeHTML(false)
	exitOn(encoder.Encode(g.Claims))
	text := bytes.TrimSuffix(written.Bytes(), []byte("\n"))
	signed := fmt.Sprintf("g1.%s.%s", g.Key, base64.RawURLEncoding.EncodeToString(text))
	return signed + "." + t.sign(g.Key, create, signed)
}

func (t task) signCapability(c capability) string {
	raw := make([]byte, 1, 6+len(c.Subject))
	for _, right := range c.Rights {
		raw[0] |= bits[right]
	}
	for shift := 32; shift >= 0; shift -= 8 {
		raw = append(raw, byte(c.Expires>>shift))
	}
	raw = append(raw, c.Subject...)
	signed := fmt.Sprintf("%s.%s.%s", c.Upload, c.Key, base64.RawURLEncoding.EncodeToString(raw))
	return signed + "." + t.sign(c.Key, upload, "c1."+signed)
}

func (t task) isGood(text string) bool {
	match := token.FindStringSubmatch(text)
	if match == nil || t.Secrets[match[2]] == "" {
		return false
	}
	signed := text[:strings.LastIndexByte(text, '.')]
	expected := ""
	if match[1] == "g1" {
		expected = t.sign(match[2], create, signed)
	} else {
		expected = t.sign(match[2], upload, "c1."+signed)
	}
	return hmac.Equal([]byte(expected), []byte(match[4]))
}

func mac(key []byte, text string) []byte {
	hash := hmac.New(sha256.New, key)
	hash.Write([]byte(text))
	return hash.Sum(nil)
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
