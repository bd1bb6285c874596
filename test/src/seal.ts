// Known vectors, computed in the VM; then answers plaintexts with envelopes of the start 7.
import { deriveKeys, seal, startSealing } from "../../src/link/seal"
import { hkdf } from "../../src/platform/hash"
import { Signal } from "../../src/platform/signal"
import { openSocket, useSocket, writeSocketNow } from "../../src/link/socket"

const ikm = hex`0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b`
const salt = hex`000102030405060708090a0b0c`
console.log(hkdf(ikm, hex`f0f1f2f3f4f5f6f7f8f9`, salt).toString("hex"))
console.log(hkdf(ikm, "", hex``).toString("hex"))

const secret = hex`000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f`
startSealing(await deriveKeys(secret, hex`0011223344556677`), 0xfffffe)
useSocket(new Signal(), plaintext => {
    writeSocketNow(seal(plaintext).bytes)
})
await openSocket("test.invalid", 1, 1000)
