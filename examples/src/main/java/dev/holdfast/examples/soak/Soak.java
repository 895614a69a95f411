/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.soak;

import java.io.PrintStream;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The command line of the soak. */
@Command(
        name = "soak",
        sortOptions = false,
        mixinStandardHelpOptions = true,
        description =
                "All policies around a dependency that is slow, fails and hangs, on real threads. Ends with 1 if heap or"
                        + " threads have grown, a call has not ended, or a permit is missing.")
public final class Soak implements Callable<Integer> {
    private static final double SHORTEST = 0.05;

    @Option(names = "--minutes", defaultValue = "10", description = "how long; at least 0.05, default 10")
    private double minutes;

    @Option(names = "--seed", defaultValue = "1", description = "of the faults and the callers; default 1")
    private long seed;

    private final PrintStream out;

    Soak(PrintStream out) {
        this.out = out;
    }

    public static void main(String[] args) {
        System.exit(run(System.out, args));
    }

    /** Runs the command and returns its exit code. */
    static int run(PrintStream out, String... args) {
        return new CommandLine(new Soak(out)).setOverwrittenOptionsAllowed(true).execute(args);
    }

    @Override
    public Integer call() throws InterruptedException {
        if (minutes < SHORTEST) {
            out.println("--minutes must be at least " + SHORTEST);
            return CommandLine.ExitCode.USAGE;
        }
        SoakRun run = new SoakRun(seed, out);
        return run.run(Duration.ofMillis((long) (minutes * 60_000))) ? CommandLine.ExitCode.OK : 1;
    }
}
