/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testlogs;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Stands in for the handlers of the root logger, which get only what no test announces. */
final class RootHandler extends Handler {
    private static final Logger ROOT = Logger.getLogger("");
    /** Logged once in a process, by whichever test is the first that builds such a pipeline, or asks ArchUnit. */
    private static final Pattern ONCE = Pattern.compile("^the standard pipeline is: deadline |^Detected Java version ");

    private final Formatter formatter = new SimpleFormatter();
    private final List<Handler> usual;
    private final List<Announced> open = new CopyOnWriteArrayList<>();
    private volatile List<Announced> justEnded = List.of();
    private volatile String running = "no test class";

    RootHandler(List<Handler> usual) {
        this.usual = usual;
    }

    static RootHandler inPlaceOfTheUsual() {
        List<Handler> usual = List.of(ROOT.getHandlers());
        RootHandler handler = new RootHandler(usual);
        ROOT.addHandler(handler);
        usual.forEach(ROOT::removeHandler);
        return handler;
    }

    void begin(String testClass, List<Announced> announced) {
        running = testClass;
        open(announced);
    }

    void open(List<Announced> announced) {
        open.addAll(announced);
    }

    /** Until the next class ends: a thread of this one may be late. */
    void close(List<Announced> announced) {
        justEnded = announced;
        open.removeAll(announced);
    }

    @Override
    public void publish(LogRecord entry) {
        String text = formatter.formatMessage(entry) + (entry.getThrown() == null ? "" : ": " + entry.getThrown());
        // To the end: each is told, also when the first has captured it.
        long captors = Stream.concat(justEnded.stream(), open.stream())
                .filter(one -> one.captures(text))
                .count();
        if (captors == 0 && !ONCE.matcher(text).find()) {
            LogRecord named =
                    new LogRecord(entry.getLevel(), running + " does not announce: " + formatter.formatMessage(entry));
            named.setThrown(entry.getThrown());
            usual.forEach(handler -> handler.publish(named));
        }
    }

    @Override
    public void flush() {
        usual.forEach(Handler::flush);
    }

    @Override
    public void close() {
        usual.forEach(Handler::close);
    }
}
