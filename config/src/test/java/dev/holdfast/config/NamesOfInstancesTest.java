/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** No two pipelines have one name, and so one tag: also not one of the file and an instance of another one. */
class NamesOfInstancesTest {
    private static final String EXPECTED = "expected no two pipelines NAME and NAME/…";

    @TempDir
    Path directory;

    private Path write(String... names) throws Exception {
        StringBuilder yaml = new StringBuilder("pipelines:\n");
        for (String name : names) {
            yaml.append("  ").append(name).append(": { timeout: 1s }\n");
        }
        return Files.writeString(directory.resolve("holdfast.yaml"), yaml);
    }

    @Test
    void aPipelineIsNotNamedAsAnInstanceOfAnotherOne() throws Exception {
        Path file = write("k/h1", "k", "a/b/c", "a", "kk/h", "other/x");
        assertThat(Holdfast.check(file))
                .extracting(problem -> problem.toString().replace(file.toString(), "file"))
                .containsExactly(
                        "file:2:3 pipelines.k/h1: k/h1 is also the name of the instance of k for a key; " + EXPECTED,
                        "file:4:3 pipelines.a/b/c: a/b/c is also the name of the instance of a for a key; " + EXPECTED);
    }

    @Test
    void aReloadMakesNoneThatIsNamedAsAnInstanceOfOneThatTheFileHadBefore() throws Exception {
        for (String[] names : new String[][] {{"k", "k/h1"}, {"k/h1", "k"}}) {
            Path file = write(names[0]);
            try (Holdfast holdfast = Holdfast.load(file)) {
                write(names[1]);
                ConfigException refused = catchThrowableOfType(ConfigException.class, holdfast::reload);
                assertThat(refused)
                        .hasMessageContaining(
                                "pipelines." + names[1] + ": k/h1 is also the name of the instance of k for a key")
                        .hasMessageEndingWith(", and " + names[0]
                                + " goes on, which is no longer in the configuration; " + EXPECTED + ", or a restart");
                assertThat(refused.problems()).hasSize(1);
            }
        }
    }
}
