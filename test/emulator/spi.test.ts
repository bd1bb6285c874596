import assert from "node:assert/strict"
import { test } from "node:test"
import { runProgram, word } from "./arm.ts"

/**
 *     ldr r5, =0x4003c000; movs r0, #250; str r0, [r5, #0x10]; ldr r0, =0xff07; str r0, [r5]    @ 8 bits, each 250 * 256 cycles
 *     movs r0, #2; str r0, [r5, #4]; ldr r7, =0x40054000; ldr r4, [r7, #0x28]
 *     str r0, [r5, #8]; str r0, [r5, #8]; movs r1, #0x10
 *     loop: ldr r0, [r5, #0xc]; tst r0, r1; bne loop
 *     ldr r0, [r7, #0x28]; subs r0, r4; ldr r6, =0x20000000; str r0, [r6]; bkpt #0
 */
const twoBytes =
    "094dfa2028610948286002206860084fbc6aa860a8601021e8680842fcd1b86a001b044e306000be00c0034007ff000000" +
    "40054000000020"

test("an SPI master is busy for as long as its bits take", () => {
    const us = word(runProgram({ code: twoBytes }), 0)
    const expected = (1e6 * 2 * 8 * 250 * 256) / 125e6
    assert.ok(Math.abs(us - expected) < 20, String(us))
})
