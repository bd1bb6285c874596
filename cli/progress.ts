/** A line on stderr that says how far long work is; nothing where nobody would see it. An empty text ends it. */
export function progressLine(stream = process.stderr): (text: string) => void {
    if (!stream.isTTY) return () => {}
    let shown = ""
    return text => {
        if (text === shown) return
        stream.write(`\r\x1b[K${text}`)
        shown = text
    }
}

/**
 * The share of a recording that is done, where stderr is a terminal and stdout is not: there, the output itself would tell.
 * @returns to be called with the seconds done; at the end the line is gone
 */
export function progress(totalS: number, stream = process.stderr): (seconds: number) => void {
    if (process.stdout.isTTY) return () => {}
    const show = progressLine(stream)
    return seconds => {
        const percent = Math.min(100, Math.floor((100 * seconds) / totalS))
        show(percent < 100 ? `${percent} %` : "")
    }
}
