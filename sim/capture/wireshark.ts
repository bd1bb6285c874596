import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { reasonOf, UserError } from "../../host/errors.ts"
import { formatAddress } from "../net/ipv6.ts"
import type { Contexts } from "../net/sixlowpan/iphc.ts"

const file = "preferences"

/**
 * The preferences that Wireshark needs to read a capture. It cannot learn the 6LoWPAN contexts from the frames (RFC
 * 6775 §4.2 would announce them); without them its addresses are wrong, and so is every checksum over them.
 */
export function wiresharkPreferences(contexts: Contexts): string {
    const prefixes = contexts.map((prefix, i) => {
        const address = new Uint8Array(16)
        address.set(prefix)
        return `6lowpan.context${i}: ${formatAddress(address)}/64`
    })
    return [
        "# Preferences of Wireshark for captures of a simulated network",
        ...prefixes,
        "wpan.fcs_format: ITU-T CRC-16",
        "tcp.check_checksum: TRUE",
        "udp.check_checksum: TRUE",
        "",
    ].join("\n")
}

/** Writes a Wireshark profile, a folder for its `profiles`. @throws UserError if that fails */
export function writeWiresharkProfile(folder: string, contexts: Contexts): void {
    try {
        mkdirSync(folder, { recursive: true })
        writeFileSync(join(folder, file), wiresharkPreferences(contexts))
    } catch (error) {
        throw new UserError(`cannot write a Wireshark profile into ${folder}: ${reasonOf(error)}`)
    }
}
