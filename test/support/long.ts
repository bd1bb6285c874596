import { test, type TestContext } from "node:test"

/** Whether `npm test -- --long` asked for searches in whole, not as a sample. */
export const isLong = process.env.VITALMOTE_LONG === "1"

/** Runs of a property whose every run costs a simulated mote: a quarter unless all were asked for. */
export function runs(all: number): number {
    return isLong ? all : Math.ceil(all / 4)
}

/** Of cases that test the same behaviour, the first `few` unless all were asked for. */
export function sampled<T>(cases: readonly T[], few = 1): readonly T[] {
    return isLong ? cases : cases.slice(0, few)
}

/** A test that runs only then. */
export function longTest(name: string, work: (t: TestContext) => Promise<void>): void {
    if (isLong) void test(name, work)
}
