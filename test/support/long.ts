import { test, type TestContext } from "node:test"

/** Whether `npm test -- --long` asked for searches in whole, not as a sample. */
export const isLong = process.env.VITALMOTE_LONG === "1"

/** A test that runs only then. */
export function longTest(name: string, work: (t: TestContext) => Promise<void>): void {
    if (isLong) void test(name, work)
}
