CREATE TABLE "sheaf"."day_budgets" (
	"tenant" text NOT NULL,
	"day" text NOT NULL,
	"spent_tokens" bigint NOT NULL,
	"spent_nano_usd" bigint NOT NULL,
	"reserved_tokens" bigint NOT NULL,
	"reserved_nano_usd" bigint NOT NULL,
	CONSTRAINT "day_budgets_tenant_day_pk" PRIMARY KEY("tenant","day")
);
--> statement-breakpoint
CREATE TABLE "sheaf"."rates" (
	"lane" text PRIMARY KEY NOT NULL,
	"requests_at" double precision NOT NULL,
	"tokens_at" double precision NOT NULL,
	"paused_until" double precision NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sheaf"."usage" (
	"tenant" text NOT NULL,
	"day" text NOT NULL,
	"model" text NOT NULL,
	"runs" bigint NOT NULL,
	"input_tokens" bigint NOT NULL,
	"output_tokens" bigint NOT NULL,
	"cache_read_tokens" bigint NOT NULL,
	"cache_write_tokens" bigint NOT NULL,
	"cost_nano_usd" bigint NOT NULL,
	"is_cost_known" boolean NOT NULL,
	CONSTRAINT "usage_tenant_day_model_pk" PRIMARY KEY("tenant","day","model")
);
