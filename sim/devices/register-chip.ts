import type { I2cChip } from "./sensor-bus.ts"

/**
 * A chip with a register pointer: the first byte written sets it, further bytes are written there, and reads come from
 * there. The pointer advances with each byte.
 */
export abstract class RegisterChip implements I2cChip {
    abstract readonly address: number
    readonly pointerMoves = true
    /** The register pointer. */
    protected register = 0

    write(bytes: Uint8Array): boolean {
        this.advance()
        const [address] = bytes
        if (address === undefined) return true
        this.point(address)
        for (const value of bytes.subarray(1)) {
            this.writeRegister(this.register, value)
            this.next()
        }
        return true
    }

    read(size: number): Uint8Array {
        this.advance()
        const bytes = new Uint8Array(size)
        for (let i = 0; i < size; i++) {
            bytes[i] = this.readRegister(this.register)
            this.next()
        }
        return bytes
    }

    /** Computes everything that was due since the last access. */
    protected abstract advance(): void

    protected abstract point(address: number): void

    /** Advances the pointer. */
    protected abstract next(): void

    protected abstract writeRegister(register: number, value: number): void

    protected abstract readRegister(register: number): number
}
