/** A wearable board, as docs/boards.md has it. */
export interface Board {
    /** In `boards/`. */
    definition: string
    program: string
    /** To be held while the runtime is flashed. */
    button: string
    /** Its runtime has TLS, with public authorities only. */
    hasTls: boolean
}

export const boards: Record<string, Board> = {
    picow: {
        definition: "vitalmote_picow",
        program: "src/main-picow.ts",
        button: "BOOTSEL",
        hasTls: false,
    },
    "xiao-esp32c3": {
        definition: "vitalmote_xiao_esp32c3",
        program: "src/main-xiao-esp32c3.ts",
        button: "BOOT",
        hasTls: true,
    },
    "qtpy-esp32c3": {
        definition: "vitalmote_qtpy_esp32c3",
        program: "src/main-qtpy-esp32c3.ts",
        button: "BOOT",
        hasTls: true,
    },
}
