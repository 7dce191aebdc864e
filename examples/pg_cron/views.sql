-- Three views to schedule: a table of orders, turnover by day and by customer, and one that fails as
-- soon as somebody enters an order of nothing.

CREATE SCHEMA shop;
SET search_path = shop, public;
CREATE TABLE orders (id int PRIMARY KEY, customer text, day date, amount numeric);
INSERT INTO orders
SELECT g, 'customer ' || g % 3, DATE '2026-01-01' + g % 4, g FROM generate_series(1, 100) g;

SELECT mv_register('daily', 'SELECT day, sum(amount) AS total FROM orders GROUP BY day',
                   unique_key => '{day}');
SELECT mv_register('"Best customers"', $$
    SELECT customer, sum(amount) AS total
    FROM orders JOIN daily USING (day) WHERE total > 1250 GROUP BY customer$$);
SELECT mv_register('rates', 'SELECT id, 100 / amount AS rate FROM orders',
                   options => '{"view_timeout": "10min", "retries": 5}');
SELECT * FROM mv_create_all(ARRAY['daily', '"Best customers"', 'rates']);
