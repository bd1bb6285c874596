/**
 * An entry of the device configuration (DCFG) somewhere in a program or a runtime image: 16 bytes of key, 2 of hash, 2 of
 * type and size, 4 of value, which for a string is where it is, from the magic on.
 */
export function setting(image: Uint8Array, key: string): number | string | undefined {
    const bytes = Buffer.from(image)
    for (let start = bytes.indexOf(magic); start >= 0; start = bytes.indexOf(magic, start + 1)) {
        const at = bytes.indexOf(key.padEnd(keyBytes, "\0"), start, "latin1")
        if (at < 0) continue
        const typeAndSize = bytes.readUInt16LE(at + keyBytes + 2)
        const value = bytes.readUInt32LE(at + keyBytes + 4)
        if ((typeAndSize & 3) !== stringType) return value
        return bytes.toString("utf8", start + value, start + value + (typeAndSize >> 2))
    }
    return undefined
}

/** The GPIO of a pin, which a configuration gives as its number or as its label. */
export function pinSetting(image: Uint8Array, key: string): number | undefined {
    const value = setting(image, key)
    const pin = typeof value === "string" ? setting(image, `pins.${value}`) : value
    return typeof pin === "number" ? pin : undefined
}

const magic = Buffer.from("444346470a9bb4ca", "hex")
const keyBytes = 16
const stringType = 2
