package native

import "ampd/codec"

// AppendAnswer appends the head of a response to action: "Response: word" and the
// action's ActionID, where it has one, as astman_start_ack and
// astman_send_response_full in Asterisk's main/manager.c do. Further headers and
// [AppendEnd] follow.
func AppendAnswer(b []byte, action *codec.Packet, word string) []byte {
	b = AppendHeader(b, "Response", word)
	if id := action.Get("ActionID"); id != "" {
		b = AppendHeader(b, "ActionID", id)
	}
	return b
}

// Answer is a whole response to action: its word and a Message.
func Answer(action *codec.Packet, word, message string) []byte {
	b := AppendAnswer(make([]byte, 0, 128), action, word)
	return AppendEnd(AppendHeader(b, "Message", message))
}
