/** Link attributes, RFC 6690 §3 and RFC 7252 §7.2.1; numbers are written bare, texts in quotes. */
export type LinkAttributes = Record<string, string | number>

/** `</vitals>;rt="…";ct=17,</alarms>…` */
export function linkFormat(links: [path: string, attributes: LinkAttributes][]): string {
    return links
        .map(([path, attributes]) => {
            const pairs = Object.entries(attributes).map(([name, value]) =>
                typeof value === "number" ? `;${name}=${value}` : `;${name}="${value}"`,
            )
            return `<${path}>${pairs.join("")}`
        })
        .join(",")
}
