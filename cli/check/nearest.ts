/** Returns the name that is most like `word`, or undefined if none is within a third of its length. */
export function nearest(word: string, names: readonly string[]): string | undefined {
    const most = Math.max(1, Math.floor(word.length / 3))
    let best: { name: string; distance: number } | undefined
    for (const name of names) {
        const distance = editDistance(plain(word), plain(name))
        if (distance <= most && distance < (best?.distance ?? Infinity)) best = { name, distance }
    }
    return best?.name
}

/** `coap-port`, `COAP_PORT` and `coapPort` are the same but for the spelling. */
function plain(name: string): string {
    return name.toLowerCase().replace(/[-_]/g, "")
}

/** Insertions, deletions and replacements that make one word of the other (Levenshtein). */
function editDistance(a: string, b: string): number {
    let row = Array.from({ length: b.length + 1 }, (_, n) => n)
    for (let i = 1; i <= a.length; i++) {
        const next = [i]
        for (let j = 1; j <= b.length; j++)
            next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
        row = next
    }
    return row[b.length]!
}
