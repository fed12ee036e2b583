if header :contains "X-Spam" "{{ not a template }}" { discard; }
