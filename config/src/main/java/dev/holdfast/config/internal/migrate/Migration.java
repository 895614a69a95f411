/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The command {@code migrate}: prints a file of pipelines that does what resilience4j's settings in some files do. */
public final class Migration {
    /** What {@code Holdfast.load} reads at most. */
    private static final int BYTES = 256 * 1024;

    private static final String FIRST_LINE =
            "# yaml-language-server: $schema=https://holdfast.dev/schema/0.1/holdfast.schema.json";

    private Migration() {}

    /**
     * Prints the file to {@code out}, with a comment for each setting, and a summary to {@code err}.
     *
     * @return 0, or 1 if a file cannot be migrated; then {@code err} gets one sentence, and {@code out} nothing
     */
    public static int run(List<String> files, PrintStream out, PrintStream err) {
        try {
            String names = String.join(", ", files);
            Source source = new Source(
                    names,
                    files.stream()
                            .flatMap(file -> SourceFile.read(file).stream())
                            .toList());
            Printed pipelines = new Printed();
            pipelines.line(0, "pipelines:");
            source.names().forEach(name -> new PipelineText(source, name).print(pipelines));
            Printed printed = new Printed();
            printed.line(0, FIRST_LINE);
            printed.comment(0, "Made of " + Text.shown(names));
            printed.comment(
                    0,
                    "Beside each setting: kept, changed, added, not written, left out, without meaning here, in"
                            + " code, or unknown; and notes, and the traps of resilience4j. A page is one of Holdfast's documentation.");
            source.notes().forEach(note -> printed.comment(0, note));
            printed.append(pipelines);
            if (printed.toString().getBytes(StandardCharsets.UTF_8).length > BYTES) {
                throw new Unreadable(
                        "there are so many instances that the file would be larger than 256 KiB, and could not be"
                                + " loaded; migrate them in parts");
            }
            out.print(printed);
            int count = source.names().size();
            err.println(count + (count == 1 ? " pipeline: " : " pipelines: ") + printed.summary());
            return 0;
        } catch (Unreadable e) {
            err.println(e.getMessage());
            return 1;
        }
    }
}
