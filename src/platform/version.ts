/** Version of the firmware, as in package.json. */
export const firmwareVersion = "0.1.0"
