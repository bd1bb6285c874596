import { UserError } from "../host/errors.ts"
import { flashBytes } from "./flash.ts"
import { flashBase } from "./chip/core.ts"

/** USB Flashing Format (github.com/microsoft/uf2): blocks of 512 bytes, each with the address of its payload. */
const blockBytes = 512
const magicStart0 = 0x0a324655
const magicStart1 = 0x9e5d5157
const magicEnd = 0x0ab16f30
const notMainFlash = 0x00000001
const hasFamily = 0x00002000
const rp2040Family = 0xe48bff56
const payloadAt = 32
const maxPayloadBytes = 476

/**
 * The flash that a UF2 file for an RP2040 makes: 0xff where it says nothing.
 * @throws UserError where the file is not one
 */
export function readUf2(file: Uint8Array): Uint8Array {
    const view = new DataView(file.buffer, file.byteOffset, file.length)
    if (!file.length || file.length % blockBytes) throw new UserError("not a UF2 file: it has no whole blocks")
    const flash = new Uint8Array(flashBytes).fill(0xff)
    let isEmpty = true
    for (let at = 0; at < file.length; at += blockBytes) {
        const word = (offset: number) => view.getUint32(at + offset, true)
        if (word(0) !== magicStart0 || word(4) !== magicStart1 || word(508) !== magicEnd)
            throw new UserError(`not a UF2 file: block ${at / blockBytes}`)
        const [flags, address, size, family] = [word(8), word(12), word(16), word(28)]
        if (flags & notMainFlash) continue
        if (flags & hasFamily && family !== rp2040Family)
            throw new UserError("a UF2 file for another chip than the RP2040")
        const offset = address - flashBase
        if (size > maxPayloadBytes || offset < 0 || offset + size > flashBytes)
            throw new UserError(`a UF2 file that does not fit: 0x${address.toString(16)}`)
        flash.set(file.subarray(at + payloadAt, at + payloadAt + size), offset)
        isEmpty = false
    }
    if (isEmpty) throw new UserError("a UF2 file with nothing for the flash")
    return flash
}
