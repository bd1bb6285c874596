/**
 * A line on stderr that says how far a recording is, where stderr is a terminal and stdout is not: there, the output itself
 * would tell. @returns to be called with the seconds done; at the end the line is gone
 */
export function progress(totalS: number, stream = process.stderr): (seconds: number) => void {
    if (!stream.isTTY || process.stdout.isTTY) return () => {}
    let shown = ""
    return seconds => {
        const percent = Math.min(100, Math.floor((100 * seconds) / totalS))
        const line = percent < 100 ? `${percent} %` : ""
        if (line === shown) return
        stream.write(`\r\x1b[K${line}`)
        shown = line
    }
}
