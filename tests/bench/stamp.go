package main

import (
	"encoding/binary"
	"time"
)

// epoch is when the bench began: times are nanoseconds since then.
var epoch = time.Now()

func now() int64 { return int64(time.Since(epoch)) }

// putHex writes v as 16 hexadecimal digits.
func putHex(b []byte, v uint64) {
	_ = b[digits-1]
	for i := digits - 1; i >= 0; i-- {
		b[i] = "0123456789abcdef"[v&15]
		v >>= 4
	}
}

// hex reads 16 hexadecimal digits, of which it makes sure nothing: eight at a time,
// a nibble to a byte, then pushed together.
func hex(b []byte) uint64 {
	return half(binary.BigEndian.Uint64(b))<<32 | half(binary.BigEndian.Uint64(b[8:]))
}

func half(x uint64) uint64 {
	x = x&0x0f0f0f0f0f0f0f0f + 9*(x>>6&0x0101010101010101) // letters are 1 to 6 with bit 6 set
	x = (x | x>>4) & 0x00ff00ff00ff00ff
	x = (x | x>>8) & 0x0000ffff0000ffff
	return (x | x>>16) & 0xffffffff
}
