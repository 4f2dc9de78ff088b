"""What people read: model cards, HTML pages and pictures."""
