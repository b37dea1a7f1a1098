package config

import "fmt"

// hint names the known key that an unknown one was probably meant to be.
func hint(name string, known []field) string {
	best, least := "", len(name)/3+2
	for _, f := range known {
		if n := distance(name, f.name); n < least {
			best, least = f.name, n
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(": did you mean %s?", best)
}

// distance counts the letters to be changed, put in or left out to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
