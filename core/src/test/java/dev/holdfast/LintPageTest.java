/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The page has each rule, and no other. */
class LintPageTest {
    private static final Pattern ROW = Pattern.compile("(?m)^\\| ((?:`[a-z0-9-]+`(?:, )?)+) \\|");
    private static final Pattern RULE = Pattern.compile("`([a-z0-9-]+)`");
    /** In the code: the first argument of a finding. */
    private static final Pattern SAID = Pattern.compile("(?:warn|say)\\(\\s*\"([a-z-]+)\"");

    private static Set<String> all(Pattern pattern, String text) {
        return pattern.matcher(text).results().map(found -> found.group(1)).collect(Collectors.toSet());
    }

    @Test
    void thePageHasEachRule() throws IOException {
        Set<String> onThePage = new HashSet<>();
        ROW.matcher(Files.readString(Path.of("../docs/lint.md")))
                .results()
                .forEach(row -> onThePage.addAll(all(RULE, row.group(1))));

        Set<String> rules = new HashSet<>(OrderLint.rules());
        rules.addAll(NumberLint.RULES);
        rules.addAll(TrafficLint.RULES);
        assertThat(onThePage).isEqualTo(rules);
    }

    @Test
    void eachRuleIsInItsList() throws IOException {
        assertThat(TrafficLint.RULES)
                .containsAll(all(SAID, Files.readString(Path.of("src/main/java/dev/holdfast/TrafficLint.java"))));
        assertThat(NumberLint.RULES)
                .containsAll(all(SAID, Files.readString(Path.of("src/main/java/dev/holdfast/NumberLint.java"))));
    }
}
