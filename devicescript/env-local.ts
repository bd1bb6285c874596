/*
 * `.env.local`, from which DeviceScript's tools (2.16.4) send settings to a board: lines `KEY=VALUE`. A value that is
 * valid JSON is parsed, so digits without quotes become a number. A line with # anywhere is a comment.
 */

/** A setting whose key is short enough for a board. */
const line = /^([A-Za-z_]\w{0,12})=(.*)$/

export type Settings = Record<string, string | number>

/** The text with these settings; all other lines stay unchanged, including comments. */
export function withSettings(text: string, settings: Settings): string {
    const kept = text.split(/\r?\n/).filter(each => !Object.hasOwn(settings, line.exec(each)?.[1] ?? ""))
    while (kept.at(-1) === "") kept.pop()
    const added = Object.entries(settings).map(([key, value]) => `${key}=${quoted(value)}`)
    return [...kept, ...added, ""].join("\n")
}

/** The settings as a board receives them. */
export function readSettings(text: string): Record<string, unknown> {
    const settings: [string, unknown][] = []
    for (const each of text.split(/\r?\n/)) {
        const [, key, value] = each.includes("#") ? [] : (line.exec(each) ?? [])
        if (key !== undefined && value) settings.push([key, jsonOrText(value)])
    }
    return Object.fromEntries(settings)
}

function quoted(value: string | number): string {
    return JSON.stringify(value).replaceAll("#", "\\u0023")
}

function jsonOrText(value: string): unknown {
    try {
        return JSON.parse(value)
    } catch {
        return value
    }
}
