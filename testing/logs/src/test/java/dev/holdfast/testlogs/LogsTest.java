/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testlogs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.junit.jupiter.api.Test;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.testkit.engine.EngineExecutionResults;
import org.junit.platform.testkit.engine.EngineTestKit;

class LogsTest {
    private static final System.Logger LOG = System.getLogger(LogsTest.class.getName());

    private final List<String> printed = new ArrayList<>();
    private final RootHandler handler = new RootHandler(List.of(new Handler() {
        @Override
        public void publish(LogRecord entry) {
            printed.add(entry.getMessage());
        }

        @Override
        public void flush() {
            // Nothing is held back.
        }

        @Override
        public void close() {
            // Nothing is open.
        }
    }));

    @Test
    void whatIsAnnouncedIsNotPrinted() {
        handler.open(announcedBy(LogsWhatItAnnounces.class));

        handler.publish(new LogRecord(Level.WARNING, "it rains cats"));

        assertThat(printed).isEmpty();
    }

    @Test
    void whatNobodyAnnouncesIsPrintedWithTheClassThatRuns() {
        handler.begin("WeatherTest", announcedBy(LogsWhatItAnnounces.class));

        handler.publish(new LogRecord(Level.WARNING, "the sun shines"));

        assertThat(printed).containsExactly("WeatherTest does not announce: the sun shines");
    }

    @Test
    void anExceptionIsSearchedToo() {
        handler.open(announcedBy(LogsWhatItAnnounces.class));
        LogRecord entry = new LogRecord(Level.WARNING, "weather");
        entry.setThrown(new IllegalStateException("it rains dogs"));

        handler.publish(entry);

        assertThat(printed).isEmpty();
    }

    @Test
    void aLateRecordIsCapturedUntilTheNextClassHasEnded() {
        List<Announced> first = announcedBy(LogsWhatItAnnounces.class);
        handler.open(first);
        handler.close(first);
        handler.publish(new LogRecord(Level.WARNING, "it rains late"));
        handler.close(List.of());

        handler.publish(new LogRecord(Level.WARNING, "it rains too late"));

        assertThat(printed).singleElement().asString().endsWith("it rains too late");
    }

    @Test
    void aClassPassesThatLogsWhatItAnnounces() {
        assertThat(failuresOf(selectClass(LogsWhatItAnnounces.class), "PT10M")).isEmpty();
    }

    @Test
    void aRecordOfAnotherThreadIsWaitedFor() {
        assertThat(failuresOf(selectClass(LogsFromAnotherThread.class), "PT10M"))
                .isEmpty();
    }

    @Test
    void aClassFailsThatDoesNotLogWhatItsSuperclassAnnounces() {
        assertThat(failuresOf(selectClass(Silent.class), "PT0S"))
                .singleElement()
                .asString()
                .contains(Silent.class.getName(), "it rains", "own")
                .doesNotContain("perhaps");
    }

    @Test
    void aClassFailsWhoseTestDoesNotLogWhatTheTestAnnounces() {
        assertThat(failuresOf(selectMethod(SilentTest.class, "silent"), "PT0S"))
                .singleElement()
                .asString()
                .contains(SilentTest.class.getName(), "of the test")
                .doesNotContain("of the class");
    }

    @Test
    void whatAClassAnnouncesIsNotAskedOfSomeOfItsTests() {
        assertThat(failuresOf(selectMethod(SilentTest.class, "other"), "PT0S")).isEmpty();
    }

    private static List<Announced> announcedBy(Class<?> testClass) {
        return Announced.by(List.of(testClass.getAnnotationsByType(Logs.class)));
    }

    private static List<Throwable> failuresOf(DiscoverySelector tests, String patience) {
        EngineExecutionResults results = EngineTestKit.engine("junit-jupiter")
                .configurationParameter("junit.jupiter.extensions.autodetection.enabled", "true")
                .configurationParameter(LogsExtension.PATIENCE, patience)
                .selectors(tests)
                .execute();
        assertThat(results.testEvents().started().count()).isPositive();
        return results.allEvents().failed().stream()
                .map(failed -> failed.getRequiredPayload(TestExecutionResult.class))
                .map(result -> result.getThrowable().orElseThrow())
                .toList();
    }

    @Logs("it rains")
    static class LogsWhatItAnnounces {
        @Test
        void warns() {
            LOG.log(System.Logger.Level.WARNING, "it rains {0}", "cats");
        }
    }

    @Logs("it rains")
    static class LogsFromAnotherThread {
        @Test
        void warns() {
            Thread test = Thread.currentThread();
            Thread late = new Thread(() -> {
                while (test.getState() != Thread.State.TIMED_WAITING) {
                    Thread.onSpinWait();
                }
                LOG.log(System.Logger.Level.WARNING, "it rains");
            });
            late.setDaemon(true);
            late.start();
        }
    }

    @Logs("own")
    @Logs(value = "perhaps", sometimes = true)
    static class Silent extends LogsWhatItAnnounces {
        @Override
        @Test
        void warns() {
            // It does not.
        }
    }

    @Logs("of the class")
    static class SilentTest {
        @Test
        @Logs("of the test")
        void silent() {
            // As it says.
        }

        @Test
        void other() {
            // Nothing either.
        }
    }
}
