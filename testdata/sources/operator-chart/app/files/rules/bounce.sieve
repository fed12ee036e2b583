require ["reject"];
if header :contains "subject" "bounce" { reject "no"; }
