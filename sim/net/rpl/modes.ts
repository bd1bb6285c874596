import type { ModeOfOperation } from "./mode.ts"
import { nonStoringMode } from "./non-storing.ts"
import { storingMode } from "./storing.ts"

const modes: ModeOfOperation[] = [storingMode, nonStoringMode]

/** The name of a mode by its MOP; `other` for an unsupported one. */
export function modeName(code: number): string {
    return modes.find(mode => mode.code === code)?.name ?? "other"
}
