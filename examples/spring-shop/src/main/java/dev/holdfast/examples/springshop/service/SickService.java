/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.springshop.service;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Answers with one number and the time, or is as ill as it was told. */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
@RestController
public class SickService {
    private final AtomicInteger requests = new AtomicInteger();
    private final int value;
    private volatile State state = State.FINE;

    SickService(@Value("${value}") int value) {
        this.value = value;
    }

    enum State {
        FINE,
        SLOW,
        FAILING,
        BUSY
    }

    /** {@code at} is when the answer was made, in milliseconds. */
    record Answer(int value, long at) {}

    @GetMapping("/items/{sku}")
    ResponseEntity<Answer> item() throws InterruptedException {
        requests.incrementAndGet();
        switch (state) {
            case SLOW -> TimeUnit.SECONDS.sleep(3);
            case FAILING -> {
                return ResponseEntity.internalServerError().build();
            }
            case BUSY -> {
                return ResponseEntity.status(HttpStatus.SERVICE_UNAVAILABLE)
                        .header(HttpHeaders.RETRY_AFTER, "1")
                        .build();
            }
            case FINE -> {}
        }
        return ResponseEntity.ok(new Answer(value, System.currentTimeMillis()));
    }

    @PostMapping("/state")
    void become(@RequestParam State state) {
        this.state = state;
    }

    @GetMapping("/requests")
    public int requests() {
        return requests.get();
    }
}
