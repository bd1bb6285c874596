/** Link attributes, RFC 6690 §3 and RFC 7252 §7.2.1. Texts are quoted, numbers are not, and flags have no value. */
export type LinkAttributes = Record<string, string | number | true>

export type Link = [target: string, attributes: LinkAttributes]

/** Formats links, such as `</vitals>;rt="…";ct=17;obs,</alarms>…`. */
export function linkFormat(links: Link[]): string {
    return links
        .map(([target, attributes]) => {
            const pairs = Object.entries(attributes).map(([name, value]) => {
                if (value === true) return `;${name}`
                return typeof value === "number" ? `;${name}=${value}` : `;${name}="${value}"`
            })
            return `<${target}>${pairs.join("")}`
        })
        .join(",")
}

/** The maximum numbers of links and characters that `parseLinks` reads of a mote's description. */
const maxLinks = 32
const maxChars = 2048

/** Parses a document in link format. Stops at the first syntax error and returns the links before it. */
export function parseLinks(text: string): Link[] {
    const links: Link[] = []
    const link = /\s*<([^<>"\s]*)>((?:;[a-z]+\*?(?:=(?:"[^"\\]*"|[^",;<>\s]+))?)*)\s*(?:,|$)/gy
    const attribute = /;([a-z]+\*?)(?:=(?:"([^"\\]*)"|([^",;<>\s]+)))?/g
    let at = 0
    while (at < Math.min(text.length, maxChars) && links.length < maxLinks) {
        link.lastIndex = at
        const found = link.exec(text)
        if (!found) break
        at = link.lastIndex
        const attributes: LinkAttributes = Object.create(null) as LinkAttributes
        for (const [, name, quoted, bare] of found[2]!.matchAll(attribute))
            attributes[name!] = quoted ?? (/^\d{1,9}$/.test(bare ?? "") ? Number(bare) : (bare ?? true))
        links.push([found[1]!, attributes])
    }
    return links
}

/** Returns the links that match all parts of a query, such as `rt=core.rd*` (RFC 6690 §4.1). */
export function matchingLinks(links: Link[], query: string[]): Link[] {
    return links.filter(link => query.every(criterion => matchesLink(link, criterion)))
}

/**
 * Tells whether a link matches one part of a query (RFC 6690 §4.1). `href` is the target, other names are attributes.
 * An attribute may have several values, separated by spaces. A `*` at the end of the wanted value matches any suffix.
 */
export function matchesLink([target, attributes]: Link, criterion: string): boolean {
    const [name = "", ...rest] = criterion.split("=")
    const wanted = rest.join("=")
    const value = name === "href" ? target : Object.hasOwn(attributes, name) ? attributes[name] : undefined
    if (value === undefined) return false
    const values = name === "href" ? [String(value)] : String(value).split(" ")
    return values.some(one => (wanted.endsWith("*") ? one.startsWith(wanted.slice(0, -1)) : one === wanted))
}
