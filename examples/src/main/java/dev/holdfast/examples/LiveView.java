/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import java.io.PrintStream;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/**
 * One line a second while the run goes on, both sides beside each other, and on a terminal a progress bar below them.
 * For one thread.
 */
final class LiveView implements AutoCloseable {
    private static final int WIDTH = 92;
    private static final String COLUMNS = "%4s  %-13s  %6s %6s %7s %6s  %6s %6s %6s %7s %6s";

    private final Timeline timeline;
    private final Side bare;
    private final Side holdfast;
    private final PrintStream out;
    private final Style style;
    private final @Nullable ProgressBar bar;

    LiveView(Contest contest, PrintStream out, Style style) {
        this.timeline = contest.timeline();
        this.bare = contest.bare();
        this.holdfast = contest.holdfast();
        this.out = out;
        this.style = style;
        this.bar = style.terminal() ? progressBar() : null;
    }

    /** Prints the head of the columns. */
    void head() {
        line(style.dim(" ".repeat(21) + "┌─────────── bare ──────────┐  ┌───────────── holdfast ──────────┐"));
        line(style.bold(String.format(
                Locale.ROOT,
                COLUMNS,
                "s",
                "phase",
                "right",
                "error",
                "p99",
                "calls",
                "right",
                "stale",
                "error",
                "p99",
                "calls")));
    }

    /** Prints the second that is over; {@code right} is live and stale answers together. */
    void second(int second) {
        long to = TimeUnit.SECONDS.toNanos(second);
        long from = to - TimeUnit.SECONDS.toNanos(1);
        Phase phase = timeline.at((from + to) / 2);
        Tally plain = bare.answers().answeredBetween(from, to);
        Tally held = holdfast.answers().answeredBetween(from, to);
        String text = String.format(
                Locale.ROOT,
                COLUMNS,
                second,
                phase.name(),
                plain.right(),
                count(plain.errors()),
                Style.millis(plain.p99Millis()),
                bare.calls().between(from, to),
                held.right(),
                count(held.stale()),
                count(held.errors()),
                Style.millis(held.p99Millis()),
                holdfast.calls().between(from, to));
        line(phase.ill() ? style.ill(text) : text);
        if (bar != null) {
            bar.stepTo(second);
            bar.refresh();
        }
    }

    /** A zero that does not catch the eye. */
    private static String count(int value) {
        return value == 0 ? "·" : Integer.toString(value);
    }

    private ProgressBar progressBar() {
        return new ProgressBarBuilder()
                .setTaskName("incident")
                .setInitialMax(TimeUnit.NANOSECONDS.toSeconds(timeline.endNanos()))
                .setStyle(ProgressBarStyle.UNICODE_BLOCK)
                .setUnit(" s", 1)
                .hideEta()
                .setConsumer(new DelegatingProgressBarConsumer(this::drawBar, WIDTH))
                .build();
    }

    private void drawBar(String text) {
        synchronized (out) {
            out.print("\r" + text + "\u001b[K");
            out.flush();
        }
    }

    private void line(String text) {
        synchronized (out) {
            out.println(bar == null ? text : "\r" + text + "\u001b[K");
            out.flush();
        }
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
            out.print("\r\u001b[K");
        }
    }
}
