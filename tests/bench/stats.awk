# SPDX-License-Identifier: GPL-2.0-only
# Medians of groups of numbers, with the interval in which the median lies with at least 95 %
# certainty (order statistics, of the binomial distribution): input lines "GROUP NUMBER",
# output "GROUP MEDIAN LOW HIGH COUNT". With fewer than 6 numbers the interval is their range.
{ values[$1, ++count[$1]] = $2 + 0 }

function sort_group(g, n,    i, j, v) {
	for (i = 1; i <= n; i++) {
		v = values[g, i]
		for (j = i; j > 1 && sorted[j - 1] > v; j--)
			sorted[j] = sorted[j - 1]
		sorted[j] = v
	}
}

# The largest k with P(Binomial(n, 1/2) < k) <= 0.025, at least 1.
function rank(n,    k, p, sum) {
	p = 0.5 ^ n
	sum = p
	for (k = 1; k < n / 2; k++) {
		p *= (n - k + 1) / k
		if (sum + p > 0.025)
			break
		sum += p
	}
	return k
}

END {
	for (g in count) {
		n = count[g]
		sort_group(g, n)
		low = rank(n)
		median = n % 2 ? sorted[(n + 1) / 2] : (sorted[n / 2] + sorted[n / 2 + 1]) / 2
		printf "%s %.6g %.6g %.6g %d\n", g, median, sorted[low], sorted[n + 1 - low], n
	}
}
