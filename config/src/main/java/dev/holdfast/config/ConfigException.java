/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A configuration cannot be used. The message has one line for each problem, in the order of the file.
 *
 * <pre>
 * holdfast.yaml:12:7 pipelines.inventory.retry.max-atempts: unknown option; did you mean max-attempts?
 * holdfast.yaml:15:17 pipelines.inventory.timeout: is 250, which has no unit; expected 250ms, 250s or another unit
 * </pre>
 */
public final class ConfigException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient @Nullable List<Problem> problems;

    ConfigException(List<Problem> problems) {
        super(problems.stream().map(Problem::toString).collect(Collectors.joining("\n")));
        this.problems = List.copyOf(problems);
    }

    /** The problems, in the order of the file; empty only after serialization, which keeps the message alone. */
    public List<Problem> problems() {
        List<Problem> known = problems;
        return known == null ? List.of() : known;
    }

    /**
     * One problem.
     *
     * @param file as its path was given
     * @param line from 1; 0 if the file as a whole is meant
     * @param column from 1; 0 if the file as a whole is meant
     * @param path the keys that lead there, with dots between; empty for the whole document
     * @param what the fact: {@code unknown option}, {@code is 800, which has no unit}
     * @param expected what may stand there, if that is known
     * @param nearest what was probably meant, if a known text is near
     */
    public record Problem(
            String file,
            int line,
            int column,
            String path,
            String what,
            Optional<String> expected,
            Optional<String> nearest) {

        @Override
        public String toString() {
            StringBuilder text = new StringBuilder(file);
            if (line > 0) {
                text.append(':').append(line).append(':').append(column);
            }
            if (!path.isEmpty()) {
                text.append(' ').append(path);
            }
            text.append(": ").append(what);
            if (nearest.isPresent()) {
                return text.append("; did you mean ")
                        .append(nearest.get())
                        .append('?')
                        .toString();
            }
            expected.ifPresent(known -> text.append("; expected ").append(known));
            return text.toString();
        }
    }
}
