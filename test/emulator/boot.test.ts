import assert from "node:assert/strict"
import { test } from "node:test"
import { runProgram, word } from "./arm.ts"

test("a program starts over the second stage, writes to its UART and stops at a breakpoint", () => {
    // ldr r5, =0x40034000; ldr r0, =0x301; str r0, [r5, #0x30]; "Hi\n" to [r5]; bkpt #0
    const code = "044d0548286348202860692028600a20286000be0040034001030000"
    const lines: string[] = []
    const board = runProgram({ code }, { log: line => lines.push(line) })
    assert.deepEqual(lines, ["Hi"])
    assert.equal(board.halt?.kind, "breakpoint")
})

test("a sleep that nothing can end is reported, and takes no time", () => {
    // wfe; loop: wfe; b loop
    const board = runProgram({ code: "20bf20bffde7" }, {}, Infinity)
    assert.equal(board.halt?.kind, "stopped")
    assert.ok(board.nanos < 10e6)
})

/**
 *     ldr r5, =0x40054000     @ an alarm 1000 us from now, its interrupt
 *     movs r0, #1; str r0, [r5, #0x38]; ldr r1, =0xe000e100; str r0, [r1]
 *     ldr r0, [r5, #0x28]; ldr r1, =1000; adds r0, r1; str r0, [r5, #0x10]
 *     ldr r6, =0x20000000
 *     loop: wfe; ldr r0, [r6]; cmp r0, #0; beq loop
 *     ldr r0, [r5, #0x28]; str r0, [r6, #4]; bkpt #0
 *     handler: ldr r1, =0x40054034; movs r0, #1; str r0, [r1]; ldr r1, =0x20000000; str r0, [r1]; bx lr
 */
const alarm =
    "0b4d0120a8630b490860a86a0a49401828610a4e20bf30680028fbd0a86a706000bec04606490120086004490860" +
    "70470040054000e100e0e80300000000002034400540"
const timer0 = 16

test("a program that sleeps is woken by its alarm on time, and has slept till then", () => {
    const board = runProgram({ code: alarm, handlers: { [timer0]: 36 }, ram: [0, 0] })
    assert.equal(board.halt?.kind, "breakpoint")
    // The alarm is set in the second millisecond: booting takes a millisecond and a half.
    const wokenUs = word(board, 1)
    assert.ok(wokenUs > 2500 && wokenUs < 2650, String(wokenUs))
    assert.ok(Math.abs(board.activity.idleNanos / 1000 - 1000) < 40, String(board.activity.idleNanos))
})

test("an interrupt that was cleared before it was taken is gone", () => {
    // As above, but the interrupt is never enabled (str r0, [r1] is nop): the sleep has no end.
    const board = runProgram({ code: alarm.replace("0860a86a", "c046a86a"), handlers: { [timer0]: 36 } }, {}, Infinity)
    assert.equal(board.halt?.kind, "stopped")
})

test("a reset that a program asks for keeps flash and time", () => {
    /**
     * ldr r6, =0x10010000; ldr r0, [r6]; ldr r5, =0x20000000; ldr r1, [r5]; adds r1, #1; str r1, [r5]
     * ldr r0, =0x05fa0004; ldr r1, =0xe000ed0c; str r0, [r1]; dsb; end: b end
     */
    const code = "054e3068054d296801312960044805490860bff34f8ffee700000110000000200400fa050ced00e0"
    const resets: string[] = []
    const board = runProgram(
        { code },
        { onEvent: event => event.kind === "reset" && resets.push(event.reset) },
        8, // each start takes one and a half
    )
    assert.ok(resets.length >= 3 && resets.length <= 5, String(resets.length))
    assert.ok(resets.every(reset => reset === "program"))
    assert.equal(board.resets, resets.length)
    assert.ok(board.nanos >= 8e6 && board.nanos < 10e6)
    assert.equal(board.flash.erased.indexOf(1), -1)
})

/** 32 random bits: ldr r5, =0x4006001c; movs r4, #32; loop: ldr r0, [r5]; lsls r3, #1; orrs r3, r0; … str r3, [r6]; bkpt */
const randomBits = "054d064e2024002328685b000343013cfad1336000be00001c00064000000020"

test("entropy follows from the seed, and is another at each start", () => {
    const bits = (seed: number) => word(runProgram({ code: randomBits }, { seed }), 0)
    assert.equal(bits(1), bits(1))
    assert.notEqual(bits(1), bits(2))
    const board = runProgram({ code: randomBits }, { seed: 1 })
    const first = word(board, 0)
    board.powerDown()
    board.powerUp()
    board.run(2000e6)
    assert.notEqual(word(board, 0), first)
})

test("an access to an odd address is a hard fault; one in its handler locks the core up", () => {
    // movs r0, #1; ldr r0, [r0]; b .; handler: the same
    const board = runProgram({ code: "01200068fee701200068fee7", handlers: { 3: 6 } }, {}, 100)
    assert.equal(board.halt?.kind, "lockup")
})
