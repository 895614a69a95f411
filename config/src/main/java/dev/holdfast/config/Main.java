/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.config.internal.migrate.Migration;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;

/** The commands, for {@code java -cp … dev.holdfast.config.Main}. Java starts it, so no other code needs to see it. */
final class Main {
    private static final Logger LOG = Logger.getLogger("dev.holdfast");

    private static final String USAGE = """
            usage: java -cp CLASSPATH dev.holdfast.config.Main check FILE...
                   java -cp CLASSPATH dev.holdfast.config.Main migrate FILE...
                   java -cp CLASSPATH dev.holdfast.config.Main schema
            check says what is wrong with a configuration. Several files are one configuration: a later one adds to the
            earlier ones. Names that code binds are taken to be there, unless they are nearly a name below shared.
            migrate prints a file of pipelines, made of resilience4j's settings in files of Spring Boot.
            schema prints the JSON Schema of a file, with all policies on the class path.""";

    private Main() {}

    public static void main(String[] args) {
        // A file is UTF-8, whatever the terminal's encoding is.
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        int code = run(List.of(args), out, System.err);
        if (code != 0) {
            System.exit(code);
        }
    }

    /** Returns 0, or 1 if a file cannot be used or the output not be written, or 2 if the command is wrong. */
    static int run(List<String> args, PrintStream out, PrintStream err) {
        int code = print(args, out, err);
        if (code == 0 && out.checkError()) {
            err.println("the output could not be written");
            return 1;
        }
        return code;
    }

    private static int print(List<String> args, PrintStream out, PrintStream err) {
        String command = args.isEmpty() ? "" : args.get(0);
        List<String> files = args.stream().skip(1).toList();
        if (args.contains("--help") || args.contains("-h")) {
            out.println(USAGE);
            return 0;
        }
        return switch (command) {
            case "check" -> files.isEmpty() ? usage(err) : check(files, out, err);
            case "schema" -> files.isEmpty() ? schema(out) : usage(err);
            case "migrate" -> files.isEmpty() ? usage(err) : Migration.run(files, out, err);
            default -> usage(err);
        };
    }

    private static int check(List<String> files, PrintStream out, PrintStream err) {
        // The warnings are printed below, and would stand in the JDK's log, too.
        Level before = LOG.getLevel();
        LOG.setLevel(Level.OFF);
        try {
            Holdfast.builder()
                    .withAnyName()
                    .warnings(files.stream().map(Path::of).toList())
                    .forEach(warning -> out.println("warning: " + warning));
            return 0;
        } catch (ConfigException wrong) {
            wrong.problems().forEach(err::println);
        } catch (InvalidPathException noPath) {
            err.println(noPath.getMessage());
        } finally {
            LOG.setLevel(before);
        }
        return 1;
    }

    private static int schema(PrintStream out) {
        out.print(Holdfast.schema());
        return 0;
    }

    private static int usage(PrintStream err) {
        err.println(USAGE);
        return 2;
    }
}
