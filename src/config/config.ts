/*
 * The configuration in force.
 *
 * Starts with the defaults. `downlink.ts` replaces it as a whole; all higher rooms read it.
 */

/** How a mote spends its power between measurements. */
export const enum PowerMode {
    /** Measures and is reachable all the time. */
    continuous = 0,
    /** Sensors rest between measurements; the connection stays open. */
    interval = 1,
    /** Like `interval`, but the chip also sleeps if it can (`standby`). */
    standby = 2,
}

/** Setting numbers in refusals, as in docs/configuration.md. */
export const enum Setting {
    hrLow = 1,
    hrHigh = 2,
    tempLow = 3,
    tempHigh = 4,
    spo2Low = 5,
    delay = 6,
    sample = 7,
    report = 8,
    power = 9,
    every = 10,
    quality = 11,
    led = 12,
    trial = 13,
}

/** Settings that can be changed over the air, in their units on the wire; see docs/configuration.md for the ranges. */
export class Config {
    /** Version of the configuration in force; 0: none has been applied yet. */
    version = 0
    /** `coap+tcp://…`, `coaps+tcp://…`, `mqtt://…`, `mqtts://…`; empty: the setting `router` applies. */
    router = ""
    /** Interval in seconds between stored readings. */
    sample = 2
    /** Maximum time in seconds that a reading waits for others before it is sent. */
    report = 10
    /** Alarm limits in beat/min, °C and percent. */
    hrLow = 40
    hrHigh = 130
    tempLow = 35
    tempHigh = 38.5
    spo2Low = 90
    /** Time in seconds that a value must be beyond a limit, or a sensor absent, before an alarm is raised. */
    delay = 10
    /** Signal quality in percent below which no heart rate is reported. */
    quality = 0
    /** Maximum current of an LED in mA. */
    led = 50
    power = PowerMode.continuous
    /** Interval in seconds between measurements, unless `power` is `continuous`. */
    every = 300
    /**
     * Time in seconds within which a receipt must arrive; otherwise a change that could cut the mote off is reverted.
     */
    trial = 120
}

/** The configuration in force. */
export const config = new Config()
