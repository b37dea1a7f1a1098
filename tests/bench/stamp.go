package main

import (
	"encoding/binary"
	"time"
)

// epoch is when the bench began: times are nanoseconds since then.
var epoch = time.Now()

func now() int64 { return int64(time.Since(epoch)) }

// putHex writes v as 16 hexadecimal digits: eight at a time, a nibble to a byte.
func putHex(b []byte, v uint64) {
	binary.BigEndian.PutUint64(b, text(v>>32))
	binary.BigEndian.PutUint64(b[8:], text(v&0xffffffff))
}

func text(x uint64) uint64 {
	x = (x | x<<16) & 0x0000ffff0000ffff
	x = (x | x<<8) & 0x00ff00ff00ff00ff
	x = (x | x<<4) & 0x0f0f0f0f0f0f0f0f
	letters := (x + 0x0606060606060606) >> 4 & 0x0101010101010101 // 1 where a nibble is over 9
	return x + 0x3030303030303030 + letters*('a'-'0'-10)
}

// hex reads 16 hexadecimal digits, of which it makes sure nothing.
func hex(b []byte) uint64 {
	return half(binary.BigEndian.Uint64(b))<<32 | half(binary.BigEndian.Uint64(b[8:]))
}

func half(x uint64) uint64 {
	x = x&0x0f0f0f0f0f0f0f0f + 9*(x>>6&0x0101010101010101) // letters are 1 to 6 with bit 6 set
	x = (x | x>>4) & 0x00ff00ff00ff00ff
	x = (x | x>>8) & 0x0000ffff0000ffff
	return (x | x>>16) & 0xffffffff
}
