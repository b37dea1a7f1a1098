package audit

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
)

// action reads lines such as "Action: Ping".
func action(lines ...string) *codec.Packet {
	p := &codec.Packet{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		p.Headers = append(p.Headers, codec.Header{Name: name, Value: value})
	}
	return p
}

// written are the headers as lines.
func written(params []codec.Header) []string {
	var lines []string
	for _, h := range params {
		lines = append(lines, h.Name+": "+h.Value)
	}
	return lines
}

func TestParams(t *testing.T) {
	l := logOf(&settings{protected: []string{"crm_id", "billing_*"}})
	tests := map[string]struct{ lines, want []string }{
		"nothing":        {lines: []string{"Action: Ping", "ActionID: 7"}},
		"the main first": {lines: []string{"action: Redirect", "Foo: 1", "Channel: A", "Exten: 100", "Channel: B"}, want: []string{"Channel: A", "Exten: 100", "Foo: 1", "Channel: B"}},
		"an empty one is not the first": {
			lines: []string{"Action: Hangup", "Channel: ", "Channel: A"}, want: []string{"Channel: A", "Channel: "},
		},
		"a login": {
			lines: []string{"Action: Login", "Username: x", "Secret: hunter2", "AuthType: MD5", "Key: hunter2", "Resume: hunter2", "Events: off"},
			want:  []string{"Key: ********", "Username: x", "Secret: ********", "AuthType: MD5", "Resume: ********", "Events: off"},
		},
		"names that tell": {
			lines: []string{"Action: X", "Password: hunter2", "vmpin: hunter2", "md5secret: hunter2", "API-Key: hunter2", "OauthToken: hunter2", "secret_hash: hunter2", "Authorization: hunter2"},
			want:  []string{"Password: ********", "vmpin: ********", "md5secret: ********", "API-Key: ********", "OauthToken: ********", "secret_hash: ********", "Authorization: ********"},
		},
		"an empty secret": {lines: []string{"Action: Login", "Secret: "}, want: []string{"Secret: "}},
		"a variable": {
			lines: []string{"Action: Setvar", "Channel: A", "Variable: CALLERID(num)", "Value: 100"},
			want:  []string{"Channel: A", "Variable: CALLERID(num)", "Value: 100"},
		},
		"a protected variable": {
			lines: []string{"Action: Setvar", "Variable: __Crm_Id", "Value: hunter2"},
			want:  []string{"Variable: __Crm_Id", "Value: ********"},
		},
		"another action's": {
			lines: []string{"Action: Custom", "CAction: UpdateConfig", "Var-000000: x", "Value-000000: hunter2"},
			want:  []string{"CAction: UpdateConfig", "Var-000000: x", "Value-000000: ********"},
		},
		"a secret in a function": {
			lines: []string{"Action: Setvar", "Variable: HASH(crm,token)", "Value: hunter2", "Value: hunter2"},
			want:  []string{"Variable: HASH(crm,token)", "Value: ********", "Value: ********"},
		},
		"variables of a call": {
			lines: []string{"Action: Originate", "Channel: PJSIP/alice", "Variable: A=1,BILLING_CODE=hunter2,C=3", "Variable: A=1|_CRM_PIN=hunter2", "Variable: SHOPPING=1"},
			want:  []string{"Channel: PJSIP/alice", "Variable: A=1,BILLING_CODE=********", "Variable: A=1|_CRM_PIN=********", "Variable: SHOPPING=1"},
		},
		"an application's variables": {
			lines: []string{"Action: Originate", "Application: Set", "Data: ARRAY(A,PASSWORD)=1,hunter2"},
			want:  []string{"Application: Set", "Data: ARRAY(A,PASSWORD)=********"},
		},
		"a name without a value": {
			lines: []string{"Action: Getvar", "Variable: AST_CONFIG(manager.conf,ampd,secret)"},
			want:  []string{"Variable: AST_CONFIG(manager.conf,ampd,secret)"},
		},
		"what is dialled": {
			lines: []string{
				"Action: Originate", "Channel: IAX2/me:hunter2@pbx/100", "Data: sip/me:hunter2:hunter2@pbx&SIP/you@pbx,30,U(http://a:hunter2@b)",
				"Note: PJSIP/trunk/sip:100@192.0.2.1:5060", "Mailbox: 100@default",
			},
			want: []string{
				"Channel: IAX2/me:********@pbx/100", "Data: sip/me:********@pbx&SIP/you@pbx,30,U(http://a:********@b)",
				"Mailbox: 100@default", "Note: PJSIP/trunk/sip:100@192.0.2.1:5060",
			},
		},
		"the database": {
			lines: []string{"Action: DBPut", "Family: AMPUSER/100", "Key: ringtimer", "Val: 15"},
			want:  []string{"Family: AMPUSER/100", "Key: ringtimer", "Val: 15"},
		},
		"a secret of the database": {
			lines: []string{"Action: DBPut", "Family: AMPUSER/100", "Key: Password", "Val: hunter2"},
			want:  []string{"Family: AMPUSER/100", "Key: Password", "Val: ********"},
		},
		"a family of secrets": {
			lines: []string{"Action: DBPut", "Family: pins", "Family: vm/pin", "Key: 100", "Val: hunter2"},
			want:  []string{"Family: pins", "Key: 100", "Val: ********", "Family: vm/pin"},
		},
		"a command": {
			lines: []string{"Action: Command", "Command: core show channels"},
			want:  []string{"Command: core show channels"},
		},
		"a command with a secret": {
			lines: []string{"Action: Command", "Command: database put AMPUSER/100 password hunter2"},
			want:  []string{"Command: database put AMPUSER/100 password ********"},
		},
		"a configuration": {
			lines: []string{"Action: UpdateConfig", "SrcFilename: voicemail.conf", "Action-000000: Update", "Cat-000000: default", "Var-000000: 100", "Value-000000: hunter2", "Match-000000: hunter2"},
			want:  []string{"SrcFilename: voicemail.conf", "Action-000000: Update", "Cat-000000: default", "Var-000000: 100", "Value-000000: ********", "Match-000000: ********"},
		},
		"cut before the secret's end": {
			lines: []string{"Action: Originate", "Channel: SIP/me:" + strings.Repeat("hunter2", 60) + "@pbx"},
			want:  []string{"Channel: SIP/me:********@pbx"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tc.want, written(l.Params(action(tc.lines...))))
		})
	}
}

func TestOtherHeadersDoNotPushOutTheMainOnes(t *testing.T) {
	require.Less(t, len(mainHeaders), mostParams)
	lines := []string{"Action: Redirect"}
	for i := range 40 {
		lines = append(lines, fmt.Sprintf("Junk%d: x", i), "Variable: x=1")
	}
	lines = append(lines, "Channel: PJSIP/alice-00000001", "Context: internal", "Exten: 900")
	params := written(logOf(&settings{}).Params(action(lines...)))
	require.Len(t, params, mostParams+1)
	require.Equal(t, []string{"Variable: x=1", "Channel: PJSIP/alice-00000001", "Context: internal", "Exten: 900", "Junk0: x"}, params[:5])
	require.Equal(t, "...: 51 more", params[mostParams])
}

// FuzzParams: no secret is written that is named, whatever stands around it.
func FuzzParams(f *testing.F) {
	for _, s := range []string{"", ",", "A=1,", "\"", "\\", "=", "@", "SIP/a:", "((", "\n", "\u212a", strings.Repeat("x", 300), "secret"} {
		f.Add(s, s)
	}
	l := logOf(&settings{protected: []string{"crm_*"}})
	f.Fuzz(func(t *testing.T, before, behind string) {
		const secret = "hunter2"
		if strings.Contains(before+behind, secret) {
			return
		}
		p := &codec.Packet{Headers: []codec.Header{
			{Name: "Action", Value: "Setvar"},
			{Name: before, Value: behind},
			{Name: "Secret" + behind, Value: secret},
			{Name: "Variable", Value: before + ",CRM_X=" + behind + secret + behind},
			{Name: "Data", Value: before + "(__my_Password)=" + secret + behind},
			{Name: "Channel", Value: before + ",SIP/x:" + secret + "@" + behind},
			{Name: "Command", Value: before + " token " + secret + behind},
			{Name: "Value", Value: secret},
		}}
		for _, h := range l.Params(p) {
			require.NotContains(t, h.Value, secret, h.Name)
		}
	})
}
