package rights

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/pbx"
)

// A maskCase is an answer and what is left of it.
type maskCase struct{ action, answer, want string }

func maskCases() []maskCase {
	cases := []maskCase{
		{"Action: PJSIPShowAuths", "Event: AuthList|ObjectType: auth|Password: s101|Username: 101|PASSWORD: again", "Event: AuthList|ObjectType: auth|Password: ********|Username: 101|PASSWORD: ********"},
		{"Action: PJSIPShowAuths", "Event: AuthList|Password: |Md5Cred: x", "Event: AuthList|Password: |Md5Cred: ********"},
		{"Action: SIPshowpeer", "Response: Success|SecretExist: Y|MD5SecretExist: N", "Response: Success|SecretExist: Y|MD5SecretExist: N"},

		{
			"Action: GetConfig|Filename: manager.conf",
			"Response: Success|Category-000000: ampd|Line-000000-000000: secret=a=b|Line-000000-000001: read=all|Category-000001: x|Line-000001-000000: SECRET=|Line-000001-000001: Secret=c",
			"Response: Success|Category-000000: ampd|Line-000000-000000: secret=********|Line-000000-000001: read=all|Category-000001: x|Line-000001-000000: SECRET=|Line-000001-000001: Secret=********",
		},
		{
			"Action: GetConfig|Filename: voicemail.conf",
			"Response: Success|Category-000000: general|Line-000000-000000: format=wav|Category-000001: zonemessages|Line-000001-000000: central=America/Chicago|Category-000002: default|Line-000002-000000: 1001=1234,Alice,a@b|Line-000002-000001: bob=-99|Line-000002-000002: 1002=",
			"Response: Success|Category-000000: general|Line-000000-000000: format=wav|Category-000001: zonemessages|Line-000001-000000: central=America/Chicago|Category-000002: default|Line-000002-000000: 1001=********,Alice,a@b|Line-000002-000001: bob=********|Line-000002-000002: 1002=",
		},
		{ // a file that voicemail.conf includes
			"action: getCONFIG|fileName: /etc/asterisk/boxes.conf",
			"Response: Success|Category-000000: default|Line-000000-000000: 1001=1234,Alice|Line-000000-000001: exten=100,1,Dial",
			"Response: Success|Category-000000: default|Line-000000-000000: 1001=********,Alice|Line-000000-000001: exten=100,1,Dial",
		},
		{ // whichever of two names is read
			"Action: GetConfig|Filename: a.conf|Filename: ./VoiceMail_custom.conf",
			"Response: Success|Category-000000: default|Line-000000-000000: bob=1234,Bob",
			"Response: Success|Category-000000: default|Line-000000-000000: bob=********,Bob",
		},
		{
			"Action: GetConfig|Filename: pjsip_wizard.conf",
			"Response: Success|Category-000000: trunk|Line-000000-000000: outbound_auth/password=s|Line-000000-000001: password/x=t",
			"Response: Success|Category-000000: trunk|Line-000000-000000: outbound_auth/password=********|Line-000000-000001: password/x=t",
		},
		{"Action: GetConfig|Filename: a.conf", "Response: Error|Message: Config file not found", "Response: Error|Message: Config file not found"},

		{
			"Action: GetConfigJSON|Filename: manager.conf",
			`Response: Success|JSON: {"ampd":{"secret":"a\"b\\","read":"all"},"x":{"istemplate":1,"templates":"t","secret":"c","SECRET":"d","auth":"" }}`,
			`Response: Success|JSON: {"ampd":{"secret":"********","read":"all"},"x":{"istemplate":1,"templates":"t","secret":"********","SECRET":"********","auth":"" }}`,
		},
		{
			"Action: GetConfigJSON|Filename: voicemail.conf",
			`Response: Success|JSON: {"general":{"a":"b"},"default":{"1001":"1234,A \"B\", c","x":"1,2"}}`,
			`Response: Success|JSON: {"general":{"a":"b"},"default":{"1001":"********,A \"B\", c","x":"********,2"}}`,
		},
		{"Action: GetConfigJSON", `Response: Success|JSON: {}`, `Response: Success|JSON: {}`},
		{ // what can't be read is masked whole
			"Action: GetConfigJSON", `Response: Success|JSON: {"a":{"secret":"x`, "Response: Success|JSON: ********",
		},
		{"Action: GetConfigJSON", `Response: Success|JSON: {"a":{"b":{"secret":"x"}}}`, "Response: Success|JSON: ********"},
		{"Action: GetConfigJSON", `Response: Success|JSON: "secret":"x"`, "Response: Success|JSON: ********"},
		{"Action: GetConfigJSON", `Response: Success|JSON: {"a":{"secret":"x"}`, "Response: Success|JSON: ********"},
		{"Action: GetConfigJSON", `Response: Success|JSON: {"a":{"b":"x\`, "Response: Success|JSON: ********"},
	}
	for _, l := range rules.maskedHeaders {
		cases = append(cases, maskCase{"Action: X", "Event: Y|" + l.name + ": s3cret|Name: n", "Event: Y|" + l.name + ": ********|Name: n"})
	}
	for _, l := range rules.maskedKeys {
		cases = append(cases, maskCase{
			"Action: GetConfig|Filename: x.conf",
			"Response: Success|Category-000000: a|Line-000000-000000: " + l.name + "=s3cret",
			"Response: Success|Category-000000: a|Line-000000-000000: " + l.name + "=********",
		})
	}
	for _, l := range rules.maskedEntries {
		cases = append(cases, maskCase{
			"Action: DBGetTree",
			"Event: DBGetTreeResponse|Key: /AMPUSER/101/my" + l.name[1:] + "|Val: s3cret",
			"Event: DBGetTreeResponse|Key: /AMPUSER/101/my" + l.name[1:] + "|Val: ********",
		})
	}
	return append(cases,
		maskCase{"Action: DBGet", "Event: DBGetResponse|Family: dundi|Key: SECRET|Val: a;b", "Event: DBGetResponse|Family: dundi|Key: SECRET|Val: ********"},
		maskCase{"Action: DBGet", "Event: DBGetResponse|Family: secret|Key: a|Val: b", "Event: DBGetResponse|Family: secret|Key: a|Val: b"},
		maskCase{"Action: DBGetTree", "Event: DBGetTreeResponse|Key: /a/secret/b|Val: ", "Event: DBGetTreeResponse|Key: /a/secret/b|Val: "},
	)
}

func TestMask(t *testing.T) {
	s := subject(t, admin)
	dangerous := subject(t, Grant{Type: Administrator, Dangerous: true})
	for _, tc := range maskCases() {
		t.Run(tc.answer, func(t *testing.T) {
			a, p := action(t, tc.action), answer(t, tc.answer)
			before := string(p.Raw)
			require.Same(t, p, dangerous.Mask(a, p))
			masked := s.Mask(a, p)
			require.Equal(t, strings.ReplaceAll(tc.want, "|", "\r\n")+"\r\n\r\n", string(masked.Raw))
			require.Equal(t, answer(t, tc.want).Headers, masked.Headers)
			require.Equal(t, before, string(p.Raw), "the packet itself stays as it is")
			if tc.want == tc.answer {
				require.Same(t, p, masked)
			}
		})
	}
}

func TestEachLineOfTheMasksDecidesACase(t *testing.T) {
	cases := maskCases()
	decides := func(less ruleSet) bool {
		x := newIndex(&less)
		s, err := newSubject(admin, pbx.New(), &less, &x)
		require.NoError(t, err)
		for _, tc := range cases {
			want := strings.ReplaceAll(tc.want, "|", "\r\n") + "\r\n\r\n"
			if string(s.Mask(action(t, tc.action), answer(t, tc.answer)).Raw) != want {
				return true
			}
		}
		return false
	}
	require.False(t, decides(rules))
	for i, l := range rules.maskedHeaders {
		less := rules
		less.maskedHeaders = without(rules.maskedHeaders, i)
		require.True(t, decides(less), l.name)
	}
	for i, l := range rules.maskedEntries {
		less := rules
		less.maskedEntries = without(rules.maskedEntries, i)
		require.True(t, decides(less), l.name)
	}
	for i, l := range rules.maskedKeys {
		less := rules
		less.maskedKeys = without(rules.maskedKeys, i)
		require.True(t, decides(less), l.name)
	}
}

// Whatever else stands in a configuration file, its secret does not come through.
func FuzzMaskConfig(f *testing.F) {
	f.Add("ampd", "read", "all")
	f.Add(`a"b\`, `{`, `}},"x":{"y":"`)
	f.Add("default", "1001", "1,2")
	s := subject(f, admin)
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	f.Fuzz(func(t *testing.T, category, key, value string) {
		const secret = "ThisIsTheSecret"
		for _, text := range []string{category, key, value} {
			if strings.Contains(text, secret) || strings.ContainsAny(text, "\r\n\x00") {
				t.Skip()
			}
		}
		line := func(name, value string) string { return "\r\n" + name + ": " + value }
		plain := "Response: Success" + line("Category-000000", category) + line("Line-000000-000000", key+"="+value) +
			line("Line-000000-000001", "secret="+secret)
		p := decodeAnswer(t, plain)
		require.NotContains(t, string(s.Mask(action(t, "Action: GetConfig|Filename: a.conf"), p).Raw), secret)

		quoted := func(s string) string { return `"` + escape.Replace(s) + `"` }
		json := "Response: Success" + line("JSON", "{"+quoted(category)+":{"+quoted(key)+":"+quoted(value)+`,"secret":"`+secret+`"}}`)
		p = decodeAnswer(t, json)
		require.NotContains(t, string(s.Mask(action(t, "Action: GetConfigJSON|Filename: a.conf"), p).Raw), secret)
	})
}

func decodeAnswer(t *testing.T, text string) *codec.Packet {
	t.Helper()
	return answer(t, strings.ReplaceAll(text, "|", "/"))
}
