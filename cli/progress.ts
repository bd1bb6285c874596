/** Returns a function that shows progress on one line of a terminal. An empty text removes the line. */
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
 * Shows the processed share of a recording if stderr is a terminal and stdout is not. On a terminal the output itself
 * shows it.
 * @returns a function to be called with the processed seconds; at the end it removes the line
 */
export function progress(totalS: number, stream = process.stderr): (seconds: number) => void {
    if (process.stdout.isTTY) return () => {}
    const show = progressLine(stream)
    return seconds => {
        const percent = Math.min(100, Math.floor((100 * seconds) / totalS))
        show(percent < 100 ? `${percent} %` : "")
    }
}

/** Shows how far long work is, on a terminal. An empty text removes the line; a total of 0 is not known. */
export function shareLine(stream = process.stderr): (what: string, done: number, total: number) => void {
    const show = progressLine(stream)
    return (what, done, total) => show(total > 0 ? `${what}: ${Math.floor((100 * done) / total)} %` : what)
}
