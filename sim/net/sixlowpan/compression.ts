/** What a sender compresses; every receiver understands all forms. */
export interface Compression {
    udp: boolean
    extensions: boolean
    /** Packets up to this size are sent uncompressed, after a dispatch byte. */
    thresholdBytes: number
}

/** Contiki 2.7, as on Sky motes. */
export const contiki27: Compression = {
    udp: true,
    extensions: false,
    thresholdBytes: 63,
}

/** Contiki-NG 4.9. */
export const contikiNg: Compression = {
    udp: true,
    extensions: true,
    thresholdBytes: 0,
}
