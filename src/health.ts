/** Whether a sensor runs; says once what is wrong with it, and once that it is back. */
export class Health {
    isRunning = false
    private name: string
    private complaint: string

    constructor(name: string) {
        this.name = name
    }

    works(): void {
        this.isRunning = true
        if (this.complaint) console.log(`${this.name}: works again`)
        this.complaint = undefined
    }

    failed(error: Error): void {
        this.isRunning = false
        if (this.complaint !== error.message) console.log(`${this.name}: ${error.message}`)
        this.complaint = error.message
    }
}
