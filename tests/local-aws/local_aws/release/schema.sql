-- The tables of Mautic that the stack's functions and its stand-ins read or write, as a fresh installation has them.
-- Written from what is known of them (column types, indexes); the many others are left out.
CREATE TABLE users (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  username VARCHAR(180) NOT NULL UNIQUE,
  password VARCHAR(64) NOT NULL,
  email VARCHAR(191) NOT NULL UNIQUE
);
CREATE TABLE lead_fields (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  alias VARCHAR(191) NOT NULL,
  label VARCHAR(191) NOT NULL,
  type VARCHAR(50) NOT NULL
);
CREATE TABLE leads (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  is_published TINYINT(1) NOT NULL DEFAULT 1,
  date_added DATETIME,
  firstname VARCHAR(191),
  lastname VARCHAR(191),
  email VARCHAR(191)
);
CREATE TABLE emails (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name VARCHAR(191) NOT NULL,
  subject LONGTEXT,
  sent_count INT NOT NULL DEFAULT 0,
  read_count INT NOT NULL DEFAULT 0
);
CREATE TABLE email_stats (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  email_id INT UNSIGNED,
  lead_id BIGINT UNSIGNED,
  list_id INT UNSIGNED,
  ip_id INT UNSIGNED,
  copy_id VARCHAR(32),
  email_address VARCHAR(191) NOT NULL,
  date_sent DATETIME NOT NULL,
  is_read TINYINT(1) NOT NULL,
  is_failed TINYINT(1) NOT NULL,
  viewed_in_browser TINYINT(1) NOT NULL,
  date_read DATETIME,
  tracking_hash VARCHAR(191),
  retry_count INT,
  source VARCHAR(191),
  source_id INT,
  tokens LONGTEXT COMMENT '(DC2Type:array)',
  open_count INT,
  last_opened DATETIME,
  open_details LONGTEXT COMMENT '(DC2Type:array)',
  generated_sent_date DATE GENERATED ALWAYS AS (CONCAT(YEAR(date_sent), '-', LPAD(MONTH(date_sent), 2, '0'), '-', LPAD(DAY(date_sent), 2, '0'))) VIRTUAL,
  INDEX stat_email_search (email_id, lead_id),
  INDEX stat_email_failed_search (is_failed),
  INDEX stat_email_hash_search (tracking_hash),
  INDEX stat_email_lead_id_date_sent (lead_id, date_sent),
  FOREIGN KEY (email_id) REFERENCES emails (id) ON DELETE SET NULL,
  FOREIGN KEY (lead_id) REFERENCES leads (id) ON DELETE SET NULL
);
CREATE TABLE lead_donotcontact (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  lead_id BIGINT UNSIGNED,
  date_added DATETIME NOT NULL,
  reason SMALLINT NOT NULL,
  channel VARCHAR(191) NOT NULL,
  channel_id INT,
  comments LONGTEXT,
  INDEX leadid_reason_channel (lead_id, channel, reason),
  INDEX dnc_reason_search (reason),
  INDEX dnc_date_added (date_added),
  FOREIGN KEY (lead_id) REFERENCES leads (id) ON DELETE CASCADE
);
CREATE TABLE migrations (
  version VARCHAR(191) NOT NULL PRIMARY KEY,
  executed_at DATETIME,
  execution_time INT
);
INSERT INTO lead_fields (alias, label, type) VALUES
  ('firstname', 'First Name', 'text'), ('lastname', 'Last Name', 'text'), ('email', 'Email', 'email');
